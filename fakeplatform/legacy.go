package fakeplatform

import (
	"net/url"
	"strconv"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// opensAsLTI11 opens launches like that.
func opensAsLTI11(are func(*Launch) bool) fault.Effect {
	return part.OpenedAsLTI11.Take(true, func(l part.Launch) bool { return are(l.(partLaunch).Launch) })
}

// legacy are the parameters of a launch by LTI 1.1 (LTI 1.1.1 Implementation Guide, 3 and
// 4.2). Nobody checks the signature.
func (l *Launch) legacy() url.Values {
	return url.Values{
		"lti_message_type": {"basic-lti-launch-request"}, "lti_version": {"LTI-1p0"},
		"resource_link_id": {l.plan.ResourceLink.ID}, "user_id": {l.plan.User.Sub},
		"oauth_version": {"1.0"}, "oauth_consumer_key": {l.plan.ClientID}, "oauth_nonce": {lti.RandomString()},
		"oauth_timestamp": {strconv.FormatInt(l.platform.opts.Now().Unix(), 10)}, "oauth_callback": {"about:blank"},
		"oauth_signature_method": {"HMAC-SHA1"}, "oauth_signature": {lti.RandomString()},
	}
}
