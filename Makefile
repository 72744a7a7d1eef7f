# `make demo` sets up and cuts out a photo; `make test` sets up and runs every
# test; `make check` is what has to pass before a change goes in.

PYTHON ?= python3
CARGO ?= cargo
SETUP = $(PYTHON) tools/setup.py
# The ONNX Runtime that set-up installed; `=` because it may not be there yet.
RUNTIME = $(wildcard $(CURDIR)/.venv/lib/python*/site-packages/onnxruntime/capi)
REMREMBG = REMREMBG_ONNXRUNTIME=$(RUNTIME) $(or $(CARGO_TARGET_DIR),target)/release/remrembg

# libremrembg: where it goes, and how it is built (release, or dev for tests).
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PROFILE ?= release
BUILT = $(or $(CARGO_TARGET_DIR),target)$(addprefix /,$(CARGO_BUILD_TARGET))/$(PROFILE:dev=debug)
INSTALL = PREFIX="$(PREFIX)" LIBDIR="$(LIBDIR)" INCLUDEDIR="$(INCLUDEDIR)" DESTDIR="$(DESTDIR)" \
	ffi/packaging/install.sh

# Maturin asks the first python3 on PATH for zig.
MATURIN = PATH="$(CURDIR)/.cache/wheel/bin:$$PATH" maturin
WITH_WHEEL = $(PYTHON) tools/with_wheel.py
RUFF = .cache/tests/bin/ruff

.PHONY: help setup tools build libremrembg install uninstall wheel demo test test-python soak-python check check-native \
	format lint licences advisories generate requirements clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## Install the compilers that the tests of the C interface need (Debian packages)
	@$(SETUP) tools

setup: ## Fetch weights, ONNX Runtime and the demo's photo, by checksum
	@$(SETUP) venv weights photo

build: setup ## Build the command line
	$(CARGO) build --release --locked --package remrembg-cli

libremrembg: ## Build the library for C and C++
	@$(SETUP) weights
	$(CARGO) build --profile $(PROFILE) --locked --package remrembg-ffi

# Built by whoever can, installed by whoever may: root need not have cargo unless
# a source that cargo noted is newer than the library.
$(BUILT)/libremrembg_ffi.so: $(wildcard $(shell sed 's/^[^:]*://' $(BUILT)/libremrembg_ffi.d 2>/dev/null))
	$(MAKE) libremrembg

install: $(BUILT)/libremrembg_ffi.so ## Install library, headers, pkg-config and CMake files
	$(INSTALL) install "$(BUILT)"

uninstall: ## Remove what `make install` with the same PREFIX put there
	$(INSTALL) uninstall

wheel: ## Build the Python package: a wheel and a source distribution in dist/
	@$(SETUP) weights wheel
	rm -f dist/remrembg-*
	CARGO_TERM_QUIET=true $(MATURIN) sdist --out dist
	$(MATURIN) build --release --locked --zig --compatibility manylinux2014 --out dist

demo: build ## Cut out a real photo; pictures to look at in demo/
	$(REMREMBG) remove demo/photo.png -o demo/cutout.png --stats
	$(REMREMBG) remove demo/photo.png -o demo/mask.png --mask
	$(REMREMBG) remove demo/photo.png -o demo/on-colour.jpg --bg-color teal
	@echo "Look at demo/cutout.png, demo/mask.png and demo/on-colour.jpg."

test: setup tools ## Run every test
	$(CARGO) test --workspace --locked
	@$(MAKE) --no-print-directory test-python

test-python: wheel ## Run the tests of the Python package against its wheel
	@$(SETUP) tests photo
	$(WITH_WHEEL) -m pytest "$(CURDIR)/bindings-python/tests"

soak-python: wheel ## Call the Python package ten thousand times: memory and open files must stay flat
	@$(SETUP) tests photo
	$(WITH_WHEEL) "$(CURDIR)/bindings-python/tests/soak.py"

check: format lint licences advisories test ## Everything that has to pass

check-native: setup tools ## Run the C interface under sanitizers, and a thousand pictures
	@CARGO="$(CARGO)" MAKE="$(MAKE)" RUNTIME="$(RUNTIME)" ffi/tests/check-native.sh

format: ## Check the formatting
	@$(SETUP) tests
	$(CARGO) fmt --all --check
	$(RUFF) format --check --quiet

lint: setup ## Run clippy and ruff, with warnings as errors, and build the docs likewise
	@$(SETUP) tests
	$(RUFF) check --quiet
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
	REMREMBG_GENERATE=1 $(CARGO) test --locked --package remrembg-ffi --test header

requirements: ## Pin the Python packages again, with their hashes
	tools/requirements.sh

clean: ## Remove everything that was built or fetched
	rm -rf target dist .venv .cache demo models/*.onnx
