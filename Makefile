# Every command of the project. README, CI and developers call these and nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
UI := apps/valoriza/ui
LEXICON := apps/valoriza/lexicon
UI_SOURCES := $(shell find $(UI) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/test-results/*' 2>/dev/null)

# Where `make up` keeps its data. Your own DATABASE_URL (PostgreSQL) is used if it is set.
DATA := $(CURDIR)/.mare
LISTEN := 127.0.0.1:8080
ADMIN := 127.0.0.1:8081
SCENARIO := read-short
# CACHE=off leaves the gateway's cache out, to compare.
MANIFEST := apps/valoriza/$(if $(filter off,$(CACHE)),uncached.toml,mare.toml)
# The full scenarios need a thousand.
USERS := $(if $(findstring short,$(SCENARIO)),50,1000)

.PHONY: help up load ui lexicon test lint unit unit-ui e2e bench bench-tasks bench-drain clients vectors needs clean

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

up: ui lexicon $(MANIFEST) ## Build mare and valoriza, fill in demo data, run
	cargo build --release -p mare -p valoriza
	@mkdir -p $(DATA)/databases
	@echo 'Filling in the demonstration data (once)…'
	@DATABASE_URL="$${DATABASE_URL:-sqlite:$(DATA)/databases/finance.sqlite3}" $(TARGET)/release/valoriza seed --demo
	@PATH="$(TARGET)/release:$$PATH" exec $(TARGET)/release/mare up -f $(MANIFEST) \
	  --data $(DATA) --listen $(LISTEN) --admin $(ADMIN)

apps/valoriza/uncached.toml: apps/valoriza/mare.toml
	sed '/^cache = /d' $< > $@

load: ## Drive a scenario at what `make up` runs: SCENARIO=mixed-short
	cargo build --release -p mare -p valoriza
	@DATABASE_URL="$${DATABASE_URL:-sqlite:$(DATA)/databases/finance.sqlite3}" $(TARGET)/release/valoriza seed \
	  --users $(USERS) --transactions $$(($(USERS) * 100))
	$(TARGET)/release/mare load apps/valoriza/load/$(SCENARIO).toml --target http://$(LISTEN) --admin $(ADMIN) --data $(DATA)

ui: $(UI)/dist/index.html ## Build the web page

$(UI)/dist/index.html: node_modules/.package-lock.json $(UI_SOURCES)
	npm run build -w $(UI)
	@touch $@

lexicon: $(LEXICON)/dist/brands.tsv ## The brands valoriza recognises

$(LEXICON)/dist/brands.tsv: node_modules/.package-lock.json $(LEXICON)/build.js
	npm run build -w $(LEXICON)

node_modules/.package-lock.json: package.json package-lock.json $(UI)/package.json $(LEXICON)/package.json tests/clients/package.json tests/bench/peers/package.json
	PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci
	@touch $@

test: needs lint unit-ui unit e2e ## Everything CI runs

lint: ## Format and lints, no warning allowed
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

# libtest tells times only to nightly, or where this variable stands; only the test binaries see it.
unit: export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER := env RUSTC_BOOTSTRAP=1
unit: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER := env RUSTC_BOOTSTRAP=1
unit: clients vectors ## All Rust tests, the real binaries included
	@mkdir -p $(TARGET)
	cargo build -p mare -p valoriza
	cargo test --workspace --lib --bins --tests -- -Z unstable-options --report-time 2>&1 | tee $(TARGET)/unit.log
	@echo 'The slowest 20:'
	@sed -nE 's/^test (.*) \.\.\. ok <([0-9.]+)s>$$/\2 s  \1/p' $(TARGET)/unit.log | sort -rn | head -20 || true

unit-ui: node_modules/.package-lock.json ## Types and unit tests of the web page
	npm run typecheck -w $(UI)
	npm test -w $(UI)

e2e: ui lexicon ## A browser uses valoriza on the real platform
	cargo build -p mare -p valoriza
	cargo test -p house-tests -- --ignored --nocapture browser

bench: $(TARGET)/locust/bin/locust ## Beside nginx, haproxy, wrk and Locust; writes docs/benchmarks.md
	cargo build --profile dist -p mare -p bench
	$(TARGET)/dist/bench --mare $(TARGET)/dist/mare --locust $< $(BENCH)

bench-tasks: node_modules/.package-lock.json ## Tasks beside BullMQ and graphile-worker; writes docs/benchmarks-tasks.md
	cargo build --profile dist -p mare -p bench
	$(TARGET)/dist/bench tasks --mare $(TARGET)/dist/mare $(BENCH)

bench-drain: ## A backlog of 51,580 transactions through valoriza, from zero; writes docs/evidence/drain.md
	cargo build --profile dist -p mare -p valoriza -p bench
	$(TARGET)/dist/bench drain --mare $(TARGET)/dist/mare --valoriza $(TARGET)/dist/valoriza $(BENCH)

$(TARGET)/locust/bin/locust: tests/bench/requirements.txt
	python3 -m venv $(TARGET)/locust
	$(TARGET)/locust/bin/pip install --quiet --requirement $<
	@touch $@

clients: node_modules/.package-lock.json $(TARGET)/clients/bin/python ## The official Cloud Tasks clients, for tests

$(TARGET)/clients/bin/python: tests/clients/requirements.txt
	python3 -m venv $(TARGET)/clients
	$(TARGET)/clients/bin/pip install --quiet --requirement $<
	@touch $@

vectors: $(TARGET)/vectors/pgserver ## A PostgreSQL with pgvector, for tests; not needed where the system's has it

$(TARGET)/vectors/pgserver: tests/servers/requirements.txt
	python3 -m venv $(TARGET)/vectors/venv
	$(TARGET)/vectors/venv/bin/pip install --quiet --no-deps --upgrade --target $(TARGET)/vectors --requirement $<
	@touch $@

needs: ## Install what the tests need, where apt can; say what is missing elsewhere
	@bash tests/needs.sh

clean: ## Remove what was built
	cargo clean
	rm -rf node_modules $(LEXICON)/dist $(UI)/dist $(UI)/node_modules
