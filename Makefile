# The two that a newcomer needs: make run, make test.

GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: run test proof bench interop lint docs build browser clean

## run: judge both embedded subjects in a browser, a tool and a platform, and write the reports
run: browser build
	bin/invigilator tool
	bin/invigilator platform

## test: all tests, with the race detector, and the proof
test: browser
	go vet ./...
	go test -race -timeout 30m ./...
	$(MAKE) proof

## proof: show that every check can fail, and fails for nothing else
proof: browser build
	bin/invigilator prove

## bench: launches and runs against bare chromedp, in one run
bench: browser
	go test -run "^$$" -bench Launch -benchtime 40x ./bench
	go test -run "^$$" -bench 'Run|Scale|Proof' -benchtime 1x ./bench

## interop: judge real tools from npm
interop: browser
	scripts/interop

## lint: what the compiler does not find
lint:
	go run $(GOLANGCI) run

## docs: write the page of the catalogue
docs: build
	mkdir -p docs
	bin/invigilator requirements --page > docs/catalogue.md

build:
	go build -o bin/invigilator ./cmd/invigilator

browser:
	@scripts/browser

clean:
	rm -rf bin invigilator-report invigilator-proof invigilator-interop interop/*/node_modules
