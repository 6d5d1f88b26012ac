# `make` lists what there is to do.
.DEFAULT_GOAL := help
SHELL := bash
export CARGO_TERM_PROGRESS_WHEN ?= auto

.PHONY: help demo build test check e2e test-long bench bench-cluster bench-gpu fuzz images cluster-up cluster-down fmt clean

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Builds the veilgrid command (target/release/veilgrid)
	cargo build --release --locked -p veilgrid

demo: ## Runs three hospitals on this machine and prints what they learn together
	cargo build --release --locked -p veilgrid --no-default-features
	@scripts/demo.sh

test: ## Installs what the tests need, then runs every check and every test
	@scripts/test.sh

check: ## Formatting, lints, documentation, licences: the quick part of `make test`
	@scripts/check.sh

e2e: ## Installs the chart on a real Kubernetes of its own and runs the hospitals there; the first time builds it. Needs root
	@scripts/e2e.sh

test-long: ## The tests that take an hour
	@scripts/test-long.sh

bench: ## Measures Veilgrid beside its peers and writes docs/performance.md; builds the peers, which takes minutes
	@scripts/bench.sh

bench-cluster: ## Measures the operator on a control plane of its own, with fake nodes; takes about ten minutes
	@scripts/bench-cluster.sh

bench-gpu: ## Counts what the shaders cost, and measures them on the GPU of this machine (in software its figures mean nothing)
	@scripts/bench-gpu.sh

fuzz: ## Fuzzes every parser and the kernels for FUZZ_SECONDS each (default 20)
	@scripts/fuzz.sh

images: ## Builds and packs the container images into target/images, without a container engine
	@scripts/test-deps.sh
	cargo build --release --locked -p veilgrid -p veilgrid-operator
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
