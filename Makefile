# The two that a newcomer needs: make run, make test.

ACTIONLINT = github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GORELEASER = github.com/goreleaser/goreleaser/v2@v2.15.4
GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# What narrows the runs of make run: make run NARROW="--profile services".
NARROW =

# How much make soak does: runs of each side, busy loops beside them, runs at a time.
RUNS ?= 20
LOAD ?= $(shell getconf _NPROCESSORS_ONLN)
PARALLEL ?= 1

# How long, or how often (2000x), make fuzz runs each target; and from which seed, for the same inputs each time.
FUZZ ?= 3s
SEED ?=

CATALOGUE = docs/catalogue.md

# The race detector needs a C compiler.
RACE = $(shell if command -v "$$(go env CC)" >/dev/null; then echo -race; else echo "No C compiler: testing without the race detector." >&2; fi)

.PHONY: run test fuzz proof check bench soak interop accessible picture lint binaries release docs build browser clean

## run: judge both embedded subjects in a browser, a tool and a platform, and write the reports
run: browser build
	bin/invigilator demo $(NARROW)

## test: all tests, with the race detector, a little fuzzing, and the proof; it says what runs. A fifth of
## the tests' work would be collecting garbage, of which they hold little
test: browser
	go vet ./...
	GOGC=200 go run ./scripts/progress $(RACE) -timeout 30m ./...
	$(MAKE) fuzz FUZZ=2000x SEED=1
	$(MAKE) proof

## fuzz: each fuzz target for so long
fuzz:
	scripts/fuzz $(FUZZ) $(SEED)

## proof: show that every check can fail, and fails for nothing else
proof: browser build
	bin/invigilator prove

## check: what the documentation names and no test makes, each once and in short: its calls, runs, benchmarks, the linter
check: browser build
	$(MAKE) run NARROW="--profile services"
	scripts/walkthrough
	go test -short -run "^$$" -bench . -benchtime 1x ./bench
	$(MAKE) docs CATALOGUE=bin/catalogue.md
	cmp bin/catalogue.md docs/catalogue.md
	$(MAKE) binaries
	$(MAKE) lint

## bench: launches and runs against bare chromedp, in one run
bench: browser
	go test -run "^$$" -bench Launch -benchtime 40x ./bench
	go test -run "^$$" -bench 'Run|Scale|Proof' -benchtime 1x ./bench

## soak: the embedded runs again and again on a busy machine, each verdict held against the first run's
soak:
	go build -o bin/soak ./soak
	bin/soak -runs $(RUNS) -load $(LOAD) -parallel $(PARALLEL)

## accessible: hold the pages of reports against axe-core, which is from npm
accessible: browser
	scripts/accessible

## picture: take the picture of a report that the README shows
picture: browser build
	bin/invigilator demo tool --profile launch --fault accepts-alg-none --report bin/picture >bin/picture.txt || test $$? -eq 1
	go run ./scripts/picture -height 2010 bin/picture/report.html docs/report.webp

## interop: judge real tools from npm
interop: browser
	scripts/interop

## lint: what the compiler does not find
lint:
	go run $(GOLANGCI) run
	go run $(ACTIONLINT) .github/workflows/*.yml

## binaries: the command for each system that it runs on, static
binaries:
	for system in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} go build -trimpath -ldflags="-s -w" -o bin/$$system/ ./cmd/invigilator || exit; \
	done

## release: what a release would publish, in bin/release; nothing is published
release:
	go run $(GORELEASER) check
	go run $(GORELEASER) release --snapshot --clean --skip=publish

## docs: write the page of the catalogue
docs: build
	bin/invigilator requirements --page > $(CATALOGUE)

build:
	go build -o bin/invigilator ./cmd/invigilator

browser:
	@scripts/browser

clean:
	rm -rf bin invigilator-report invigilator-proof invigilator-interop invigilator-soak interop/*/node_modules reports/accessible/node_modules
