package campus_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/lti"
)

// chooses sends what somebody has chosen as the tool does.
func (b *browser) chooses(l launched, items ...map[string]any) answer {
	b.t.Helper()
	b.g.Expect(l.claims).To(HaveKeyWithValue(lti.ClaimMessageType, lti.DeepLinkingRequest))
	settings, _ := l.claims[lti.ClaimDeepLinkingSettings].(map[string]any)
	returnURL, _ := settings["deep_link_return_url"].(string)
	return b.post(returnURL, url.Values{lti.ParamJWT: {b.sign(lti.Claims{
		"iss": l.claims["aud"], "aud": b.url, "iat": b.now().Unix(), "exp": b.now().Add(time.Minute).Unix(), "nonce": lti.RandomString(),
		lti.ClaimMessageType: lti.DeepLinkingResponse, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: l.claims[lti.ClaimDeploymentID],
		lti.ClaimDeepLinkingData: settings["data"], lti.ClaimContentItems: items,
	})}})
}

// link is a link of the tool with a line item.
func link(title string) map[string]any {
	return map[string]any{
		"type": lti.ItemResourceLink, "title": title, "url": toolURL + "/launch?chapter=4", "custom": map[string]string{"chapter": "4", "link": "$ResourceLink.id"},
		"lineItem": map[string]any{"scoreMaximum": 7, "tag": "practice"},
	}
}

func TestChosenContentIsLaunched(t *testing.T) {
	s := newSite(t)
	mary, ada := s.signedIn("mary"), s.signedIn("ada")
	s.g.Expect(ada.open("/course/1/content").StatusCode).To(Equal(http.StatusForbidden), "a learner chooses nothing")
	s.g.Expect(ada.post("/course/1/content", nil).StatusCode).To(Equal(http.StatusForbidden), "and publishes nothing")
	s.g.Expect(ada.open("/admin/course/1/content").StatusCode).To(Equal(http.StatusForbidden))
	s.g.Expect(s.signedIn("root").open("/admin/course/9/content").StatusCode).To(Equal(http.StatusNotFound))

	a := mary.chooses(mary.launches("/course/1/content"), link("Chapter 4"), map[string]any{"type": lti.ItemLink, "title": "Notes", "url": "https://library.example/notes"},
		map[string]any{"type": lti.ItemHTML, "html": `<script>alert(1)</script>`})
	s.g.Expect(a.StatusCode).To(Equal(http.StatusOK), a.page.Text())
	page := ada.open("/course/1").page
	s.g.Expect(page.Find("#content li").Length()).To(Equal(3))
	s.g.Expect(page.Find("#content script").Length()).To(BeZero())
	s.g.Expect(page.Find("#content iframe[sandbox]").Length()).To(Equal(1))
	s.g.Expect(page.Find(`#content a[href="https://library.example/notes"]`).Text()).To(Equal("Notes"))
	s.g.Expect(ada.open("/course/2").page.Find("#content").Length()).To(BeZero(), "the content of another course")

	opened := ada.launches(page.Find("#content a").First().AttrOr("href", ""))
	id, _ := opened.claims[lti.ClaimResourceLink].(map[string]any)["id"].(string)
	s.g.Expect(opened.claims).To(And(
		HaveKeyWithValue(lti.ClaimTargetLinkURI, toolURL+"/launch?chapter=4"), HaveKeyWithValue(lti.ClaimCustom, And(HaveKeyWithValue("chapter", "4"), HaveKeyWithValue("link", id))),
		HaveKeyWithValue(lti.ClaimResourceLink, HaveKeyWithValue("title", "Chapter 4")), HaveKeyWithValue(lti.ClaimAGS, HaveKey("lineitem")),
	))
	for _, item := range grades.On(s.campus.Platform()).LineItems("invigilator", "course-1") {
		if item.ResourceLinkID == id {
			s.g.Expect(item).To(And(HaveField("Label", "Chapter 4"), HaveField("ScoreMaximum", 7.0), HaveField("Tag", "practice")))
			return
		}
	}
	t.Error("there is no line item of the link")
}

func TestFaultKeepsContentUnpublished(t *testing.T) {
	s := newSite(t, "keeps-content-unpublished")
	mary, ada := s.signedIn("mary"), s.signedIn("ada")
	mary.chooses(mary.launches("/course/1/content"), link("Chapter 4"))
	s.g.Expect(mary.open("/course/1").page.Find("#content li").Length()).To(Equal(1))
	s.g.Expect(ada.open("/course/1").page.Find("#content li").Length()).To(BeZero())
	s.g.Expect(mary.submit(mary.open("/course/1"), button("Publish all content"), nil).path()).To(Equal("/course/1"))
	s.g.Expect(ada.open("/course/1").page.Find("#content li").Length()).To(Equal(1))
}
