package services

import (
	"testing"

	"invigilator.example/scenarios/judgetest"
)

// FuzzAddresses holds what a platform may name as an address against what judges one.
func FuzzAddresses(f *testing.F) {
	for _, address := range []string{"https://lms.example/items?x=1#y", "http://127.0.0.1:9090", "HTTP://LOCALHOST", "https://:443", "//x", "javascript:x", "https://[::1%25eth0]/", "http://127.1", "https://a b/", "%zz", ""} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		judgetest.Steady(t, func() []string { return []string{WrongURL(address, "lineitems")} }, address)
		for how, made := range Adapted(address, "7") {
			if made == address {
				t.Errorf("%q is the same %s", address, how)
			}
		}
	})
}
