package messages

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
)

// Personal are the claims that tell who a user is (LTI Core 1.3, 5.3.6).
var Personal = []string{"name", "given_name", "family_name", "middle_name", "picture", "email"}

// impersonal are claims whose words are not the user's, even where they are those
// of a name, as with a user who is called Test Student; the nonce is the tool's.
var impersonal = []string{
	"iss", "aud", "azp", "nonce", "locale", lti.ClaimRoles, lti.ClaimContext, lti.ClaimResourceLink, lti.ClaimToolPlatform, lti.ClaimTargetLinkURI,
	lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimLaunchPresentation,
}

// PersonalData says which personal data a launch tells: claims that hold them, and the
// user's data wherever they stand. The email of an instructor is tolerated.
func PersonalData(scene *harness.PlatformScenario, user string, m harness.Message) []string {
	var told []string
	for _, claim := range Personal {
		if _, there := m.Claims[claim]; there && (claim != "email" || user != config.Instructor) {
			told = append(told, claim+" is sent")
		}
	}
	records, _ := scene.Run().User(user)
	for name, value := range m.Claims {
		if slices.Contains(Personal, name) || slices.Contains(impersonal, name) {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			continue
		}
		for _, datum := range []string{records.Name, records.GivenName, records.FamilyName, records.Email} {
			if len(datum) > 2 && containsWord(string(text), datum) {
				told = append(told, fmt.Sprintf("%s holds %q", name, datum))
			}
		}
	}
	slices.Sort(told)
	return told
}

// containsWord says whether a text has a datum, not as a part of another word, nor,
// if it is short, by chance within a long identifier: of 200,000 random ones of 43
// characters in base64url, one has a given word of three letters between digits.
func containsWord(text, datum string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], datum)
		if at < 0 {
			return false
		}
		start, end := from+at, from+at+len(datum)
		if !letterAt(text, start-1) && !letterAt(text, end) && (len(datum) >= tellingLength || identifierAround(text, start, end) <= maxWord) {
			return true
		}
		from = end
	}
}

const (
	tellingLength = 6  // from it on a datum is not found in random text by chance
	maxWord       = 16 // an identifier that is longer may be random
)

// identifierAround is the length of the letters, digits, - and _ that surround a
// part of a text, with the part.
func identifierAround(text string, start, end int) int {
	within := func(i int) bool {
		return i >= 0 && i < len(text) && (letterAt(text, i) || text[i] >= '0' && text[i] <= '9' || text[i] == '-' || text[i] == '_')
	}
	for within(start - 1) {
		start--
	}
	for within(end) {
		end++
	}
	return end - start
}

func letterAt(text string, i int) bool {
	return i >= 0 && i < len(text) && (text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z' || text[i] >= 0x80)
}
