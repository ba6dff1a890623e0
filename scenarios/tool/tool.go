// Package tool holds the specs that judge a tool: LTI Core 1.3, the 1EdTech
// Security Framework 1.0 and, in proctoring*.go, Proctoring Services 1.0, in
// grades*.go Assignment and Grade Services 2.0 and in review*.go the Submission
// Review Service 1.0, as a platform sees them. Importing it adds them to the program.
//
// To add a check: a row in requirements/core.yaml, a fault in
// fakeplatform where a fault provokes it, a fault in faketool/fault.go that
// breaks it, and an entry in a table in reactions.go. What takes several steps,
// users or platforms has a file of its own.
package tool
