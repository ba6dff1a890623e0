// Package proctoring holds the specs that judge tools and platforms by Proctoring Services
// 1.0: platform*.go those of platforms, tool*.go those of tools. Importing it adds them to
// the program.
//
// To add a check of a tool: a row in requirements/proctoring.yaml, a stimulus in
// fakeplatform/proctoring where the platform provokes it, and an entry of messageChecks,
// controlChecks or a table in tool.go. To add one of a platform: an entry of examChecks or
// endChecks, or a stimulus in faketool/proctoring and an entry in platform_start.go or
// platform_control.go. Either needs a defect of the judged side that it finds.
package proctoring
