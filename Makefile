# `make demo` sets up and cuts out a photo; `make test` sets up and runs every
# test; `make check` is what has to pass before a change goes in.

PYTHON ?= python3
CARGO ?= cargo
SETUP = $(PYTHON) tools/setup.py
# The ONNX Runtime that set-up installed; `=` because it may not be there yet.
RUNTIME = $(wildcard $(CURDIR)/.venv/lib/python*/site-packages/onnxruntime/capi)
REMREMBG = REMREMBG_ONNXRUNTIME=$(RUNTIME) $(or $(CARGO_TARGET_DIR),target)/release/remrembg

.PHONY: help setup build demo test check format lint licences advisories generate requirements clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Fetch weights, ONNX Runtime and the demo's photo, by checksum
	@$(SETUP) venv weights photo

build: setup ## Build the command line
	$(CARGO) build --release --locked --package remrembg-cli

demo: build ## Cut out a real photo; pictures to look at in demo/
	$(REMREMBG) remove demo/photo.png -o demo/cutout.png --stats
	$(REMREMBG) remove demo/photo.png -o demo/mask.png --mask
	$(REMREMBG) remove demo/photo.png -o demo/on-colour.jpg --bg-color teal
	@echo "Look at demo/cutout.png, demo/mask.png and demo/on-colour.jpg."

test: setup ## Run every test
	$(CARGO) test --workspace --locked

check: format lint licences advisories test ## Everything that has to pass

format: ## Check the formatting
	$(CARGO) fmt --all --check

lint: setup ## Run clippy, with warnings as errors, and build the docs likewise
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

licences: ## Check every dependency's licence and source
	@$(SETUP) deny
	.cache/cargo-deny --locked check licenses bans sources

advisories: ## Check dependencies against the advisory database, where it can be reached
	@$(SETUP) deny
	@tools/advisories.sh

generate: setup ## Write again what is generated from the code
	REMREMBG_GENERATE=1 $(CARGO) test --locked --package remrembg --test generated

requirements: ## Pin the Python packages again, with their hashes
	tools/requirements.sh

clean: ## Remove everything that was built or fetched
	rm -rf target .venv .cache demo models/*.onnx
