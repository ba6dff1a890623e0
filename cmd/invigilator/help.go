package main

import "strings"

// examples is what the help of a command ends with: what it is for, each followed by a call.
func examples(pairs ...string) string {
	var b strings.Builder
	b.WriteString("Examples:\n")
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString("\n    # " + pairs[i] + "\n    " + pairs[i+1] + "\n")
	}
	return b.String()
}

// Help has examples.
func (*toolCommand) Help() string {
	return examples(
		"A tool that runs on this machine; prints what to register first", "invigilator tool --login-url http://localhost:3000/login --launch-url http://localhost:3000/launch",
		"In CI: as invigilator.yaml says, held against an earlier run", "invigilator tool --yes --baseline last.json --report out",
		"A tool on the internet, which reaches this run by a tunnel", "invigilator tool --public-url https://lms-test.example",
		"Only what is about nonces, and every SHOULD counts", "invigilator tool --only 'sec-tool-nonce-*' --fail-on warned",
		"Only what is required of launches and needs no browser", "invigilator tool --filter 'launch && MUST && !browser'",
	)
}

// Help has examples.
func (*platformCommand) Help() string {
	return examples(
		"As platform.yaml says; prints what to register first", "invigilator platform --config platform.yaml",
		"A platform on the internet, which reaches this run by a tunnel", "invigilator platform --config platform.yaml --public-url https://tool-test.example",
		"Only one section of the Security Framework", "invigilator platform --config platform.yaml --section sec:5.1.1",
		"In CI, with events for a program", "invigilator platform --config platform.yaml --yes --format jsonl",
	)
}

const demoFault = "invigilator demo tool --agent http --fault accepts-empty-nonce --only sec-tool-nonce-missing"

// Help has examples.
func (*demoBothCommand) Help() string {
	return examples("Both fakes, without a browser", "invigilator demo --agent http", "Only grades", "invigilator demo --profile grades")
}

// Help has examples.
func (*demoToolCommand) Help() string {
	return examples("All of it", "invigilator demo tool", "A tool with a fault, and the check that finds it", demoFault)
}

// Help has examples.
func (*demoPlatformCommand) Help() string {
	return examples("All of it", "invigilator demo platform",
		"A platform with a fault, and the check that finds it", "invigilator demo platform --agent http --fault accepts-empty-nonce --only oidc-auth-missing-nonce")
}

// Help has examples.
func (*backendCommand) Help() string {
	return examples(
		"A proctoring backend; prints what to enter on the other side first", "invigilator backend --base-url https://proctoring.example --client-id invigilator",
		"In CI: as the file says, held against an earlier run", "invigilator backend --yes --config invigilator.yaml --baseline last.json --report out",
	)
}

// Help has examples.
func (*demoBackendCommand) Help() string {
	return examples("All of it", "invigilator demo backend",
		"A backend with a fault, and the check that finds it", "invigilator demo backend --fault accepts-wrong-secret --only edx-token-bad-credentials")
}

// Help has examples.
func (*demoJourneyCommand) Help() string {
	return examples("How a learner opens a link in the campus", "invigilator demo journey learner-opens-link",
		"How an instructor opens a work for review", "invigilator demo journey instructor-reviews --line-item Essay --learner 'Ada Lovelace'")
}

// Help has examples.
func (*requirementsCommand) Help() string {
	return examples("What this version checks of tools", "invigilator requirements --side tool --covered",
		"What a section asks for, as JSON", "invigilator requirements --section sec:5.1.3 --json")
}

// Help has examples.
func (*explainCommand) Help() string {
	return examples("All that is known of a requirement", "invigilator explain sec-tool-aud")
}

// Help has examples.
func (*faultsCommand) Help() string {
	return examples("The faults of the fake tool", "invigilator faults --side tool")
}

// Help has examples.
func (*proveCommand) Help() string {
	return examples("All of it; a quarter of an hour", "invigilator prove",
		"That one fault is found, and nothing else turns red", "invigilator prove --side tool --only accepts-empty-nonce")
}

// Help has examples.
func (*reportCommand) Help() string {
	return examples("The reports of a document that somebody has sent, into a folder", "invigilator report results.json --out again")
}

// Help has examples.
func (*diffCommand) Help() string {
	return examples("What has changed since the last good run", "invigilator diff last.json out/results.json")
}

// Help has examples.
func (*waiveCommand) Help() string {
	return examples("The waivers that would let a run pass, for a week", "invigilator waive out/results.json --reason TICKET-7 --for 168h")
}

// Help has examples.
func (*schemaCommand) Help() string {
	return examples("For an editor", "invigilator schema > invigilator.schema.json", "For a program that reads results.json", "invigilator schema results > results.schema.json")
}

// Help has examples.
func (*journeyCommand) Help() string {
	return `Makes a journey, says where it gets stuck, goes on with its launch, and prints the header and the claims of the id_token, which nothing has checked. With --record it is you who makes the journey, in a browser's window, up to the launch; it prints the steps, with passwords as variables of the environment. That needs a screen, and Chromium or Chrome; Ctrl-C ends it before a launch.

` + examples(
		"Make a journey and print each step", "invigilator journey learner-opens-link",
		"With a line item that the journey names", "invigilator journey instructor-reviews --line-item Essay",
		"Watch it in a window", "invigilator journey learner-opens-link --config platform.yaml --headed",
		"Write the steps that you make yourself", "invigilator journey learner-opens-link --record --page https://lms.example/login",
	)
}

// Help has examples.
func (*serveCommand) Help() string {
	return `Serves a page on this machine, behind which the fakes stay up. On it you compose a message with any stimulus, send it by your own browser, and watch each request that reaches a fake, with its tokens decoded; what you have sent is kept with what repeats it. Nothing is judged. Where no tool or platform is configured, Invigilator's own fakes face each other.

` + examples(
		"A first launch, between Invigilator's own fakes", "invigilator serve",
		"The same with a tool that does not look at the nonce", "invigilator serve --fault accepts-empty-nonce",
		"With a tool or platform of your own; prints what to register in it", "invigilator serve --config invigilator.yaml",
	)
}

// Help has examples.
func (*cardCommand) Help() string {
	return `Prints what to enter where a platform registers the fake tool, or a tool the fake platform, in the words of the product, with the values of the configuration. The configuration need not be complete: what the product shows afterwards belongs into it.

` + examples(
		"Which products there are", "invigilator card",
		"For one of them", "invigilator card moodle",
		"With the values of a configuration", "invigilator card canvas --config platform.yaml",
		"For a library that a tool is built with", "invigilator card ltijs",
	)
}

// Help has examples.
func (*checkCommand) Help() string {
	return `Looks whether a run could judge the subject: whether its addresses answer, whether users can sign in and the journeys lead to launches, and whether valid launches work. It tells all that is in the way at once. It makes the preflight of a run, and nothing else.

Exit status: 0 a run can judge the subject, 1 the subject has already broken a requirement, 2 a run could not judge all that is configured, 3 no run is possible.

` + examples(
		"Before a run", "invigilator check",
		"A staging system whose certificates are issued by a CA of your own", "invigilator check --ca-file ca.pem",
		"In CI, where the subject is still starting", "invigilator check --config platform.yaml --wait 60s",
	)
}

// Help has examples.
func (*initToolCommand) Help() string {
	return `Looks at the tool (its key set, its answer to a login initiation, a first launch) and writes invigilator.yaml, with comments, and with a line for editors that know JSON Schema. What it does not find out is a comment that says what to enter. It asks on a terminal, and takes flags. Register the platform in the tool before, or call it again afterwards, with --force: 'invigilator card' says what to register.

` + examples(
		"A tool that runs on this machine", "invigilator init tool --login-url http://localhost:3000/login",
	)
}

// Help has examples.
func (*initPlatformCommand) Help() string {
	return `Looks at the platform (its OpenID configuration or the addresses of its product, its key set, its page to sign in on, a first launch) and writes invigilator.yaml, with comments, and with a line for editors that know JSON Schema. What it does not find out is a comment that says what to enter. It asks on a terminal, and takes flags. Register the fake tool in the platform before: 'invigilator card' says what to register.

` + examples(
		"A platform, with a user and a link", "invigilator init platform --issuer https://lms.example --client-id 10000000000001 --page https://lms.example/courses/7 --link 'Exercise 1' --sign-in https://lms.example/login --username ada --password ADA_PASSWORD",
	)
}

// Help has examples.
func (*mergeCommand) Help() string {
	return examples("Two shards, made by 'invigilator tool --shard 1/2 --report one' and likewise 2/2", "invigilator merge one/results.json two/results.json --report out",
		"By the terms of the configuration, and held against an earlier run", "invigilator merge one/results.json two/results.json --baseline last.json --report out")
}
