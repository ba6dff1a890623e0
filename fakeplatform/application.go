package fakeplatform

import (
	"net/http"

	"invigilator.example/fault"
)

// What an application does that is built on the platform, as far as faults change it: it asks
// with the platform's [Platform.Carrier].
var (
	// SessionCookieSet is passed when somebody signs in.
	SessionCookieSet = &fault.Seam[http.Cookie]{Name: "the session cookie of the application"}
	// LastUserKept is of a fault alone: the cookie has the [AccountID].
	LastUserKept = &fault.Step[string]{Name: "who has signed in last is kept in a cookie"}
	SessionTold  = &fault.Seam[ToldSession]{Name: "what tools are told of a session of the application"}
	// LinkServesOnce is of a fault alone, and asked of links by their paths.
	LinkServesOnce = &fault.Step[string]{Name: "a link launches once, until its page is loaded again"}
	LinkIDOnCopy   = &fault.Seam[CopiedLink]{Name: "the id of a link in the copy of a course"}
)

// A ToldSession is a session of the application, by the value of its cookie and by what is made
// of that for tools, with what a launch tells of it; nothing when empty.
type ToldSession struct{ Cookie, Made, Told string }

// A CopiedLink is a link that is copied, with the id of the original, and that of the copy.
type CopiedLink struct{ Original, ID string }

// Carrier carries the faults of the platform, for an application that is built on it.
func (p *Platform) Carrier() *fault.Carrier { return p.carrier }
