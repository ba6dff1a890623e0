package faketool

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A gradebook is what a platform offers of its grade services in a launch
// (Assignment and Grade Services 2.0, 3.1).
type gradebook struct {
	of                  client
	scopes              []string // that the platform announces, and the tool knows
	lineItems, lineItem string   // empty where the platform names none
}

// gradebookOf reads the claim; nil where there is none.
func gradebookOf(c claims, registration Registration) *gradebook {
	endpoint := c.object(lti.ClaimAGS)
	if endpoint == nil {
		return nil
	}
	g := &gradebook{of: clientOf(registration)}
	g.of.deployment, _ = c.text(lti.ClaimDeploymentID)
	announced, _ := endpoint["scope"].([]any)
	for _, scope := range lti.GradeScopes {
		if slices.Contains(announced, any(scope)) {
			g.scopes = append(g.scopes, scope)
		}
	}
	for name, to := range map[string]*string{"lineitems": &g.lineItems, "lineitem": &g.lineItem} {
		if address, _ := endpoint[name].(string); isSecure(address) {
			*to = address
		}
	}
	return g
}

// offers says whether the platform announces one of the scopes.
func (g *gradebook) offers(scopes ...string) bool {
	return g != nil && slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(g.scopes, scope) })
}

// with is the gradebook as if the platform had announced another scope, too.
func (g gradebook) with(scope string) *gradebook {
	g.scopes = append(slices.Clone(g.scopes), scope)
	return &g
}

// patience is how long a user waits for the platform's gradebook, however many
// requests it takes.
const patience = 30 * time.Second

// patient bounds how long a page takes that asks the platform.
func patient(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		serve(w, r.WithContext(ctx))
	}
}

// callGrades sends a request to a grade service, with an access token for all that
// the platform announces: the tool needs one token only. It fails where the
// answer is none of success. Where the platform does not take the token any more,
// the request is sent again with a new one, and where the service is not available,
// once more in any case.
func (t *Tool) callGrades(ctx context.Context, g *gradebook, scope string, r GradeRequest) (*Exchange, error) {
	if !g.offers(scope) {
		return nil, fmt.Errorf("the platform does not offer the scope %s", scope)
	}
	scopes := t.asked(g, scope)
	t.spoilCall(&r)
	t.forget(grantOf(g.of, scopes))
	spent, tries := "", map[int]int{} // by the status of the answer
	for {
		token, err := t.accessToken(ctx, g.of, scopes, scope, spent)
		if err != nil {
			return nil, err
		}
		r.Token = token
		e, err := t.sendGrade(ctx, &gradeDraft{tool: t, GradeRequest: tokenCarried.Pass(t.carrier, r)})
		if err != nil {
			return nil, err
		}
		tries[e.Status]++
		done := calling{t, grantOf(g.of, scopes), r.MediaType == lti.MediaTypeScore, e.Status, tries[e.Status]}
		callAnswered.Pass(t.carrier, done)
		if !callsAgain.Taken(t.carrier, done) {
			return e, cmp.Or(t.crashOfCall(e), e.failure(), t.misjudges(r, e), t.misread(r, e))
		}
		if e.Status == http.StatusUnauthorized {
			spent = token
		}
		t.spoilRetry(&r)
	}
}

// calling is a request to a grade service that was answered.
type calling struct {
	t      *Tool
	grant  grantKey // of its access token
	score  bool     // it was for a score
	status int
	times  int // that this was the answer
}

// How a grade service is asked.
var (
	tokenCarried = &fault.Seam[GradeRequest]{Name: "a request with its access token"}
	callAnswered = &fault.Seam[calling]{Name: "a request that was answered"}
	callsAgain   = &fault.Step[calling]{Name: "sends a request once more", Honest: func(c calling) bool {
		return c.times == 1 && (c.status == http.StatusUnauthorized || c.status == http.StatusServiceUnavailable)
	}}
)

// failure says why a request has not succeeded; nil where it has.
func (e *Exchange) failure() error {
	switch {
	case e.Status == 0:
		return fmt.Errorf("nobody answered: %w", e.Err)
	case e.Status < 200 || e.Status > 299:
		return fmt.Errorf("HTTP %d", e.Status)
	case e.Err != nil:
		return fmt.Errorf("the answer broke off: %w", e.Err)
	default:
		return nil
	}
}

// maxPages bounds how many pages of a list are read.
const maxPages = 50

// eachOf reads a list page by page, to its end or until it is enough (Assignment
// and Grade Services 2.0, 3.2.4 and 3.3.6). The access token goes to no other site
// than the list's.
func (t *Tool) eachOf(ctx context.Context, g *gradebook, scope, list, mediaType string, enough func(json.RawMessage) bool) error {
	at, seen := list, map[string]bool{}
	for pages := 1; pages <= maxPages || pages < 4*maxPages && t.has(FollowsLoops); pages++ {
		seen[at] = true
		e, err := t.callGrades(ctx, g, scope, GradeRequest{Method: http.MethodGet, URL: at, Accept: mediaType})
		if err != nil {
			return err
		}
		var page []json.RawMessage
		if err := json.Unmarshal(e.Body, &page); err != nil {
			return t.crashOfList(CrashesOnObjectsForLists, errors.New("the platform's list is none"))
		}
		if slices.ContainsFunc(page, isNull) && t.has(CrashesOnNullElements) {
			return errCrash
		}
		if slices.ContainsFunc(page, enough) {
			return nil
		}
		next, more := NextPage(e.Header, at)
		if more && relative(e.Header, next) && t.has(CrashesOnRelativeNext) {
			return errCrash
		}
		next, more = t.spoilNext(e.Header, list, next, more)
		if more && len(page) == 0 && t.has(StopsAtEmptyPages) {
			return nil
		}
		switch {
		case !more, pages == 2 && t.has(ReadsTwoPages):
			return nil
		case seen[next] && !t.has(FollowsLoops):
			return errors.New("the platform's list leads back to where it was")
		case siteOf(next) != siteOf(list):
			return errors.New("the platform's list goes on at another site")
		}
		at = next
	}
	return errors.New("the platform's list has too many pages")
}

// siteOf is the beginning of an address, up to its path.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Below returns the URL of what is below a line item, such as "scores": its path
// grows, and its query stays behind it (Assignment and Grade Services 2.0, 3.3.1 and 3.4.1).
func Below(lineItem, part string) string {
	path, query, has := strings.Cut(lineItem, "?")
	if has {
		query = "?" + query
	}
	return path + "/" + part + query
}
