// Package tool holds the specs that judge a tool by launches: LTI Core 1.3
// and the 1EdTech Security Framework 1.0, as a platform sees them. Importing it adds them
// to the program. Its test runs all specs of tools, those of parts as well.
//
// To add a check: a row in requirements/core.yaml, a fault in
// fakeplatform where a fault provokes it, a fault in faketool/fault.go that
// breaks it, and an entry in a table in reactions.go. What takes several steps,
// users or platforms has a file of its own.
package tool
