package backend

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"invigilator.example/edx"
	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/harness"
	"invigilator.example/results"
)

// Preflight makes sure that the backend can be judged: it issues a token, and answers a call
// with it. The error is a [results.Diagnosis] where it does not.
func (r *Run) Preflight(ctx context.Context) (results.Fragment, error) {
	found := results.Fragment{Flows: map[string]results.Flow{}}
	if r.config.Embedded.SkipPreflight {
		return found, nil
	}
	flow := r.begin("preflight: an access token and the configuration", "")
	token := r.platform.AskToken(ctx)
	d := r.diagnoseToken(token)
	if d == nil {
		d = r.diagnoseConfig(r.platform.Config(ctx, ""))
	}
	if d == nil {
		d = r.diagnoseClock(token)
	}
	if d == nil {
		return found, nil
	}
	d.FlowID = flow.ID
	if !r.config.Embedded.OnlyVerdicts {
		found.Flows[flow.ID] = r.kept(flow)
	}
	return found, d
}

// diagnoseToken says why the backend issues no token; nil where it does.
func (r *Run) diagnoseToken(a fakeexamplatform.Answer) *results.Diagnosis {
	address := results.URL(r.config.Backend.BaseURL) + edx.TokenPath
	d := &results.Diagnosis{Step: "access token", Sent: "POST " + address + " with grant_type=client_credentials and the client_id and client_secret of the configuration", Seen: fakeexamplatform.Describe(a)}
	_, has := a.Lifetime()
	var unknown x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(a.Err, &unknown), errors.As(a.Err, &wrongHost), errors.As(a.Err, &invalid):
		d.Problem = "The certificate of the backend is not trusted."
		d.LookAt = "The certificate of " + results.URL(r.config.Backend.BaseURL) + ": the exam platform has to trust it as well."
	case a.Err != nil:
		d.Problem = "The backend cannot be reached."
		d.LookAt = "Is the backend running, and is " + results.URL(r.config.Backend.BaseURL) + " (backend.base_url) its root?"
	case a.OK() && has:
		return nil
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed:
		d.Problem = "The backend has no token endpoint at " + address + "."
		d.LookAt = "Is backend.base_url the root of the backend? " + edx.TokenPath + " follows it, without a slash at the end."
	case a.Status == http.StatusBadRequest || a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		d.Problem = "The backend refuses the credentials."
		d.LookAt = "backend.client_id and backend.client_secret: are they those that the backend knows of the exam platform? They are sent in the form, not as Basic credentials."
	case a.OK() && a.Object() != nil:
		d.Problem = "The backend answers a token request without an access_token."
		d.LookAt = "backend.client_id and backend.client_secret: there are backends that answer wrong ones so. If they are right, the answer has to have access_token and expires_in."
	case strings.Contains(a.Problem, "HTML"):
		d.Problem = "The backend answers a token request with a page."
		d.LookAt = "Is backend.base_url the root of the backend's API, and not that of its site? " + edx.TokenPath + " follows it."
	default:
		d.Problem = "The backend issues no access token."
		d.LookAt = "The backend's log at the time of the request."
	}
	return d
}

// diagnoseConfig says why a call of the API does not work; nil where it does.
func (r *Run) diagnoseConfig(a fakeexamplatform.Answer) *results.Diagnosis {
	d := &results.Diagnosis{
		Step: "configuration", Sent: "GET " + results.URL(r.config.Backend.BaseURL) + edx.ConfigPath + " with Authorization: JWT and the token that the backend has just issued",
		Seen: fakeexamplatform.Describe(a),
	}
	switch {
	case a.Err != nil:
		d.Problem = "The backend does not answer a call of its API."
		d.LookAt = "The backend's log at the time of the request."
	case a.OK() && a.Problem == "":
		return nil
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		d.Problem = "The backend refuses the token that it has just issued."
		d.LookAt = "The word before the token is JWT, not Bearer; does the backend take it? Is the clock right of each of its servers?"
	case a.Status == http.StatusNotFound:
		d.Problem = "The backend has no configuration at " + edx.ConfigPath + "."
		d.LookAt = "Is backend.base_url the root of the backend? All of its paths follow it."
	case strings.Contains(a.Problem, "HTML"):
		d.Problem = "The backend answers a call of its API with a page instead of JSON."
		d.LookAt = "Is backend.base_url the root of the backend's API? A page breaks what learners see."
	default:
		d.Problem = "The backend does not answer a call of its API with JSON."
		d.LookAt = "The backend's log at the time of the request."
	}
	return d
}

// maxSkew is how far the clock of a backend may be off: a link to the dashboard is good for
// a minute.
const maxSkew = 45 * time.Second

// diagnoseClock says how far the clock of the backend is off, as its answer is dated; nil
// where it is not, or where the answer has no date.
func (r *Run) diagnoseClock(a fakeexamplatform.Answer) *results.Diagnosis {
	if r.config.IsEmbedded() { // which has the clock of the run
		return nil
	}
	var skew time.Duration
	if dated, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		skew = dated.Sub(r.now())
	}
	if skew.Abs() <= maxSkew {
		return nil
	}
	where := "ahead"
	if skew < 0 {
		where = "behind"
	}
	return &results.Diagnosis{
		Problem: fmt.Sprintf("The clock of the backend is %s %s.", skew.Abs().Round(10*time.Second), where),
		Step:    "access token", Seen: "Date: " + a.Header.Get("Date"),
		LookAt: "The clocks of the backend's machine and of this one. Links to the dashboard are good for a minute, and tokens expire: with such a clock good ones are refused.",
	}
}

// Reach waits for the token endpoint of a backend that may still be starting, and tells
// whether it answers.
func (r *Run) Reach(ctx context.Context, patience time.Duration) []harness.Readiness {
	ready := harness.Readiness{What: "the backend answers at " + results.URL(r.config.Backend.BaseURL), Needed: true}
	end := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, 8*firstPause) {
		a := r.platform.AskToken(ctx)
		if a.Err == nil {
			return []harness.Readiness{ready}
		}
		if !time.Now().Add(pause).Before(end) {
			ready.Problem = r.diagnoseToken(a)
			return []harness.Readiness{ready}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			ready.Problem = r.diagnoseToken(a)
			return []harness.Readiness{ready}
		}
	}
}
