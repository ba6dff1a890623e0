package reports

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A File is one of those that tell of the same run. One without Write is not there.
type File struct {
	Name  string
	Write func(io.Writer) error
}

// Prepare makes a folder for the files of a run that begins, and removes those of an
// earlier one: should this run come to nothing, nobody takes them for its own. It fails
// where files cannot be written there.
func Prepare(dir string, names ...string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, ".*-probe")
	if err != nil {
		return err
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return err
	}
	return remove(dir, names)
}

func remove(dir string, names []string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Replace writes the files of a run in place of those of an earlier one, into a folder
// that it makes where there is none. Whatever happens, no file of the earlier run is
// left beside one of this run, and none is there in part. The first file is the one
// that the others can be made from again: there is always an earlier or a new one.
func Replace(dir string, files ...File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var fresh, names []string
	defer func() {
		for _, path := range fresh {
			_ = os.Remove(path) // fails for those that were moved, as it should
		}
	}()
	for _, f := range files {
		path := ""
		if f.Write != nil {
			var err error
			if path, err = beside(dir, f); err != nil {
				return fmt.Errorf("%s: %w", filepath.Join(dir, f.Name), err)
			}
		}
		fresh, names = append(fresh, path), append(names, f.Name)
	}
	if err := remove(dir, names[1:]); err != nil {
		return err
	}
	for i, path := range fresh {
		if path == "" {
			continue
		}
		if err := os.Rename(path, filepath.Join(dir, names[i])); err != nil {
			return err
		}
	}
	return nil
}

// beside writes a file under another name in the same folder.
func beside(dir string, f File) (path string, err error) {
	file, err := os.CreateTemp(dir, ".*-"+f.Name)
	if err != nil {
		return "", err
	}
	if err := cmp.Or(f.Write(file), file.Chmod(0o644), file.Close()); err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}
