# `make` lists what there is to do.
.DEFAULT_GOAL := help
SHELL := bash
export CARGO_TERM_PROGRESS_WHEN ?= auto

.PHONY: help demo build test check test-long bench fuzz images cluster-up cluster-down fmt clean

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Builds the veilgrid command (target/release/veilgrid)
	cargo build --release --locked -p veilgrid

demo: build ## Runs three hospitals on this machine and prints what they learn together
	@scripts/demo.sh

test: ## Installs what the tests need, then runs every check and every test
	@scripts/test.sh

check: ## Formatting, lints, documentation, licences: the quick part of `make test`
	@scripts/check.sh

test-long: ## The tests that take an hour
	@scripts/test-long.sh

bench: ## Measures Veilgrid beside its peers; builds the peers, which takes minutes
	@scripts/bench.sh

fuzz: ## Fuzzes every parser for FUZZ_SECONDS each (default 20)
	@scripts/fuzz.sh

images: build ## Packs the container images into target/images, without a container engine
	@scripts/test-deps.sh
	@images/pack.sh

cluster-up: ## Starts a Kubernetes of one node on this machine; the first time builds it, which takes ten minutes. Needs root
	@cluster/start.sh

cluster-down: ## Stops it and removes it
	@cluster/down.sh

fmt: ## Formats the code
	cargo fmt --all

clean: ## Removes what was built and what the demo wrote
	cargo clean
	rm -rf demo-out demo-state .tools
