package toolmessage

import (
	"encoding/json"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/lti"
)

// A Change is what a stimulus makes of a message. It fails where it lacks something for it.
type Change func(*Draft) error

// Claim sends other claims, and leaves out those that are nil.
func Claim(changes lti.Claims) Change {
	return func(d *Draft) error { part.Change(d.Claims, changes); return nil }
}

// All makes one change after the other.
func All(changes ...Change) Change {
	return func(d *Draft) error {
		for _, change := range changes {
			if err := change(d); err != nil {
				return err
			}
		}
		return nil
	}
}

// Unknown sends a value that the platform does not know.
func Unknown(name string) Change {
	return func(d *Draft) error { d.Claims[name] = lti.RandomString(); return nil }
}

// Borrow sends a claim of the other message just as it came, where that has it.
func Borrow(name string) Change {
	return func(d *Draft) error {
		if other := d.Other.Raw(name); other != nil {
			d.Claims[name] = other
		}
		return nil
	}
}

// AudienceArray sends aud as an array of one.
func AudienceArray(d *Draft) error { d.Claims["aud"] = []string{d.Issuer}; return nil }

// PlatformIssuer sends the platform's issuer as iss.
func PlatformIssuer(d *Draft) error { d.Claims["iss"] = d.Issuer; return nil }

// OtherIssuer sends another tool's client_id as iss.
func OtherIssuer(d *Draft) error {
	if d.Core.OtherTool().Key == nil {
		return part.ErrNoOtherTool
	}
	d.Claims["iss"] = d.Core.OtherTool().ClientID
	return nil
}

// SignedByOther signs with another tool's key.
func SignedByOther(d *Draft) error {
	if d.Key = d.Core.OtherTool().Key; d.Key == nil {
		return part.ErrNoOtherTool
	}
	return nil
}

// Signed signs in another way.
func Signed(how signing.Way) Change {
	return func(d *Draft) error { d.Sign = how; return nil }
}

// ByKeyURL signs with a foreign key that is found where the tool publishes it.
func ByKeyURL(d *Draft) error {
	d.Sign = signing.ByKeyURL(d.Core.StrangerKeysURL())
	return nil
}

// InField sends the token in another parameter, or in none.
func InField(name string) Change {
	return func(d *Draft) error { d.Field = name; return nil }
}

// Issued moves the times of a message.
func Issued(later time.Duration) Change {
	return func(d *Draft) error {
		at := d.Core.Now().Add(later)
		d.Claims["iat"], d.Claims["exp"] = at.Unix(), at.Add(signing.Lifetime).Unix()
		return nil
	}
}

// FractionOf gives a claim a time between two seconds, so many after now, as a NumericDate may
// be (RFC 7519, 2).
func FractionOf(claim string, seconds int64) Change {
	return func(d *Draft) error {
		d.Claims[claim] = float64(d.Core.Now().Unix()+seconds) + 0.375
		return nil
	}
}

// SendBack sends a token of the platform in place of one.
func SendBack(d *Draft, of *part.Message) error {
	d.Field = ""
	d.Form.Set(lti.ParamJWT, of.IDToken)
	return nil
}

// Null is what a claim that is there says nothing with.
var Null = json.RawMessage("null")
