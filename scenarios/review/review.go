// Package review holds the specs that judge tools and platforms by the Submission Review
// Service 1.0: platform*.go those of platforms, tool*.go those of tools. Importing it adds
// them to the program. A review rests on scores, so it needs scenarios/grades.
//
// To add a check of a tool: a row in requirements/submission-review.yaml, a stimulus of the
// fake platform and a spec in tool.go or tool_grades.go. To add one of a platform: an entry
// of reviewChecks, or a stimulus of the fake tool and a spec. Either needs a defect of the
// judged side that it finds.
package review
