// Package tokens holds the specs that judge tools and platforms by the access tokens of
// services (1EdTech Security Framework 1.0, 4; RFC 6749, 6750 and 7523): platform.go those
// of platforms, tool.go those of tools. Importing it adds them to the program. Tokens are
// shown by the requests of a service, so it needs scenarios/grades and
// scenarios/proctoring: whichever the subject has will do.
//
// To add a check: a row in requirements/security.yaml or services.yaml; a stimulus of the
// fake on the other side; an entry of a table here; and a defect that it finds.
package tokens
