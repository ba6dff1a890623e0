package results

import "io"

// ReadWithin is [Read] with another bound than that of all documents, in bytes.
func ReadWithin(r io.Reader, most int) (Document, error) { return read(r, most) }
