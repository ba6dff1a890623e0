// Package grades holds the specs that judge tools and platforms by Assignment and Grade
// Services 2.0: platform*.go those of platforms, tool*.go those of tools. Importing it adds
// them to the program. What it exports is for parts that rest on scores.
//
// To add a check: a row in requirements/grades.yaml; a stimulus of the fake on the other
// side where one provokes it; a table or a spec here; and a defect of the judged side that
// it finds.
package grades
