# `make run` starts the exchange, `make test` runs every test. Both set up what they need.

.DEFAULT_GOAL := help
.PHONY: help run test check fmt clippy doc deny unit browser clients compat determinism instructions release-build bench bench-page peers kill-test local-books oracle sim fuzz mutants autobahn dist setup-rust

STAGE := scripts/stage.sh
RELEASE = $(or $(CARGO_TARGET_DIR),target)/release
ARGS ?=
ROUNDS ?= 500
SEED ?= 1
SEEDS ?= 100000
TARGET ?=
CLIENT ?=
CASES ?=
SECONDS ?= 60
CLIENTS ?= 1000
MINUTES ?= 10

help: ## Show the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: setup-rust ## Build and start the exchange. ARGS="--no-demo --listen 127.0.0.1:9000" and so on.
	cargo run --release --package outcry -- run $(ARGS)

test: setup-rust ## Every test: checks, browser, unit and end-to-end tests.
	@mkdir -p target && rm -f target/stages
	@scripts/clients.sh --install >target/clients-install.log 2>&1 &
	@$(STAGE) check $(MAKE) --no-print-directory check
	@$(STAGE) build cargo test --workspace --tests --no-run --quiet
	@nice -n 19 $(MAKE) --no-print-directory release-build >target/release-build.log 2>&1 &
	@$(STAGE) browser $(MAKE) --no-print-directory browser
	@$(STAGE) clients $(MAKE) --no-print-directory clients
	@$(STAGE) tests $(MAKE) --no-print-directory unit
	@$(STAGE) release $(MAKE) --no-print-directory determinism
	@$(STAGE) instructions $(MAKE) --no-print-directory instructions
	@$(STAGE) --report

check: fmt clippy doc deny ## Format, lints, docs, licences.

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --quiet -- --deny warnings

# With the driver and the arguments of `clippy`: own crates are read as it checked them, and not checked once more.
doc:
	CLIPPY_ARGS=--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__ RUSTC_WORKSPACE_WRAPPER="$$(rustc --print sysroot)/bin/clippy-driver" \
	RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --quiet

deny:
	@scripts/deny.sh check --hide-inclusion-graph bans licenses sources

unit:
	@scripts/unit.sh

browser:
	@scripts/browser.sh

clients: ## Client libraries of the Binance dialect, unmodified, against the real binary. CLIENT names one.
	@scripts/clients.sh $(CLIENT)

compat: ## The same with whole bots, freqtrade and hummingbot, which take minutes to install.
	@scripts/clients.sh --heavy

# As a test of the profile of tests it runs with all others; both must find what is committed. Without what makes components
# fail, the engine is built once for this and for `instructions`.
DETERMINISM := cargo test --quiet --release --package sim --no-default-features --test determinism
HOT_PATHS := --release --quiet --package workload --bin hot-paths
determinism:
	$(DETERMINISM)

# Fails when a hot path has become more than 2 % longer; docs/performance.md says how to commit a new count.
instructions:
	@cargo run $(HOT_PATHS) -- check

# What these two need, from what the tests before them leave idle.
release-build:
	$(DETERMINISM) --no-run
	cargo build $(HOT_PATHS)

bench: setup-rust ## Measure the layers; prints them and writes target/bench.json. ARGS names layers.
	cargo build --release --quiet --package outcry --package bench --package workload
	$(RELEASE)/bench $(ARGS)
	$(if $(ARGS),,@$(MAKE) --no-print-directory peers)

bench-page: ## Put the figures of the last `make bench` into docs/performance.md, with plots.
	$(RELEASE)/bench --page

peers: setup-rust ## Our book beside those of others on the same orders. FLOWS names some of them.
	scripts/node-peer.sh || echo "peers: without the book of the npm registry"
	cargo build --release --quiet --manifest-path peers/Cargo.toml
	$(or $(CARGO_TARGET_DIR),peers/target)/release/peers $(FLOWS)

kill-test: setup-rust ## Kill the exchange ROUNDS times (500) under load and account for every command.
	KILL_ROUNDS=$(ROUNDS) cargo test --package outcry --test end_to_end kill:: -- --nocapture

local-books: setup-rust ## Order books of CLIENTS clients (1000), kept for MINUTES (10) over connections that are cut: no gap, no difference.
	LOCAL_BOOKS_CLIENTS=$(CLIENTS) LOCAL_BOOKS_MINUTES=$(MINUTES) cargo test --release --package outcry --test end_to_end local_books:: -- --nocapture

oracle: setup-rust ## The product against the naive exchange: SEED (1), COMMANDS (1000000000); resumes. docs/reliability.md
	cargo build --release --quiet --package oracle
	SEED=$(SEED) COMMANDS=$(COMMANDS) BLOCK=$(BLOCK) target/release/oracle

sim: setup-rust ## Simulate SEEDS runs (100000) from SEED: crashes, damage, lost messages. Goes on where it stood.
	cargo build --release --quiet --package sim
	target/release/sim --seed $(SEED) --seeds $(SEEDS) --progress target/sim-$(SEED).progress

fuzz: setup-rust ## Fuzz every decoder and streams of commands, SECONDS (60) each, or just TARGET; goes on where it stood.
	scripts/fuzz.sh $(SECONDS) $(TARGET)

mutants: setup-rust ## Change book, ledger and engine, one place at a time: does a test fail? docs/mutants.md; goes on where it stood.
	scripts/mutants.sh

autobahn: setup-rust ## The Autobahn test suite against the sockets, directly and through HAProxy. CASES ("6.*") names some.
	@scripts/autobahn.sh $(if $(CASES),"$(CASES)")

dist: setup-rust ## The binary for operators, with link-time optimisation.
	cargo build --profile dist --package outcry
	@echo "target/dist/outcry"

setup-rust:
	@scripts/setup.sh rust
