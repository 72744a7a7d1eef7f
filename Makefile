# `make demo` sets up and cuts out a photo; `make test` sets up and runs every
# test; `make check` is what has to pass before a change goes in.

PYTHON ?= python3
CARGO ?= cargo
SETUP = $(PYTHON) tools/setup.py
# The ONNX Runtime that set-up installed; `=` because it may not be there yet.
RUNTIME = $(addprefix $(CURDIR)/,$(wildcard .venv/lib/python*/site-packages/onnxruntime/capi))
DEMO = $(or $(CARGO_TARGET_DIR),target)/demo/remrembg
REMREMBG = $(or $(CARGO_TARGET_DIR),target)/release/remrembg

# libremrembg: where it goes, and how it is built (release, or dev for tests).
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PROFILE ?= release
BUILT = $(or $(CARGO_TARGET_DIR),target)$(addprefix /,$(CARGO_BUILD_TARGET))/$(PROFILE:dev=debug)
INSTALL = PREFIX="$(PREFIX)" LIBDIR="$(LIBDIR)" INCLUDEDIR="$(INCLUDEDIR)" DESTDIR="$(DESTDIR)" \
	ffi/packaging/install.sh

# Maturin and cargo-zigbuild ask the first python3 on PATH for zig, which links
# against an old glibc, so that what is built runs on Linux systems of ten years back.
# The name of the program that links is a part of what cargo compares: with one for
# both, the wheel and the Node package are built from the same compiled crates.
WHEEL_BIN = $(CURDIR)/.cache/wheel/bin
ZIG = env "CARGO_BIN_EXE_cargo-zigbuild=$(WHEEL_BIN)/cargo-zigbuild" PATH="$(WHEEL_BIN):$$PATH"
MATURIN = $(ZIG) maturin
# Packages tell no time at which they were built, so that they are the same to the byte when built again.
export SOURCE_DATE_EPOCH = 315532800
# Packages do not have the paths of the machine that built them, unless one has a space. Tests are built without
# these flags, and share all that is compiled. Flags from a cargo configuration do not count for packages.
ifeq ($(PROFILE),release)
CARGO_HOME ?= $(HOME)/.cargo
ifeq ($(words $(CURDIR) $(CARGO_HOME) $(CARGO_TARGET_DIR)),$(if $(CARGO_TARGET_DIR),3,2))
FOLDERS = $(CURDIR) $(CARGO_HOME) $(CARGO_TARGET_DIR)
wheel node-package libremrembg build: export RUSTFLAGS := $(strip $(RUSTFLAGS) \
	--remap-path-prefix=$(CARGO_HOME)/registry/src=crates --remap-path-prefix=$(CURDIR)=remrembg \
	$(if $(CARGO_TARGET_DIR),--remap-path-prefix=$(CARGO_TARGET_DIR)=target))
endif
endif
# What is shipped never lies where what is tested does.
DIST = $(if $(filter dev,$(PROFILE)),.cache/dist,dist)
WITH_WHEEL = $(PYTHON) tools/with_wheel.py
RUFF = .cache/tests/bin/ruff
NODE = bindings-node
HOST = $(shell rustc --print host-tuple)
GLIBC = 2.17
WITH_PACKAGE = $(PYTHON) tools/with_package.py
# All that is tested and linted is one build: the dev profile, linked by zig, for one target,
# with one set of features (tools/build_features.py), so that each crate is compiled once.
CARGO_ONE = CARGO_BUILD_TARGET=$(HOST) $(ZIG) cargo-zigbuild
ONE = --locked --target $(HOST).$(GLIBC)
TESTED = --workspace --exclude remrembg-benches
# Tests that need the folder of public test pictures run where it is named.
PICTURES = $(if $(REMREMBG_TEST_PICTURES),--include-ignored)

.PHONY: help setup tools build libremrembg install uninstall wheel node-package crates demo test-setup test compile-tests test-rust test-python test-node test-quality quality bench bench-engine bench-peers bench-serve bench-several soak-python soak-node \
	check check-native check-engine format lint licences advisories generate requirements clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## Install the compilers and the browser that tests need (Debian packages)
	@$(SETUP) tools

setup: ## Fetch weights, ONNX Runtime and the demo's photo, by checksum
	@$(SETUP) venv weights photo

build: ## Build the command line
	@$(SETUP) weights
	$(CARGO) build --release --locked --package remrembg-cli

libremrembg: ## Build the library for C and C++
	@$(SETUP) weights
	$(CARGO) build --profile $(PROFILE) --locked --package remrembg-ffi

# Built by whoever can, installed by whoever may: root need not have cargo unless
# a source that cargo noted is newer than the library.
# Names are taken from here on, as a space in what comes before would end a word.
empty :=
space := $(empty) $(empty)
HERE = $(subst $(space),\\ ,$(CURDIR))
$(BUILT)/libremrembg_ffi.so: $(wildcard $(shell sed 's/^[^:]*://; s|$(HERE)/||g' $(BUILT)/libremrembg_ffi.d 2>/dev/null))
	$(MAKE) libremrembg

install: $(BUILT)/libremrembg_ffi.so ## Install library, headers, pkg-config and CMake files
	$(INSTALL) install "$(BUILT)"

uninstall: ## Remove what `make install` with the same PREFIX put there
	$(INSTALL) uninstall

wheel: ## Build the Python package: a wheel and a source distribution in dist/
	@$(SETUP) weights wheel
	rm -f $(DIST)/remrembg-*
	CARGO_TERM_QUIET=true $(MATURIN) sdist --out $(DIST)
	$(MATURIN) build --profile $(PROFILE) --locked --zig --compatibility manylinux2014 --out $(DIST)
	$(PYTHON) tools/wheel_paths.py $(DIST)/remrembg-*.whl $(FOLDERS)

node-package: ## Build the Node package in bindings-node/, ready for `npm pack` there
	@$(SETUP) weights wheel node
	$(ZIG) cargo-zigbuild zigbuild --profile $(PROFILE) $(ONE) --package remrembg-node
	cd $(NODE) && npm run --silent build
	cp LICENSE NOTICE THIRD-PARTY.txt $(NODE)
	cp $(NODE)/index.d.ts $(NODE)/index.d.mts
	rm -rf $(NODE)/prebuilds && mkdir $(NODE)/prebuilds
	strip $(or $(CARGO_TARGET_DIR),target)/$(HOST)/$(PROFILE:dev=debug)/libremrembg_node.so \
		-o $(NODE)/prebuilds/$(shell node -p 'process.platform + "-" + process.arch').node

# git does not know the weights, which are packed all the same.
crates: ## Pack the Rust crates, each built from what is packed, into target/package
	@$(SETUP) weights
	$(CARGO) package --locked --allow-dirty $(addprefix --package ,remrembg $(addprefix remrembg-,cli native server webp weights-u2netp))

demo: ## Cut out a real photo; pictures to look at in demo/
	@$(SETUP) weights photo
	$(CARGO) build --profile demo --locked --package remrembg-cli
	$(DEMO) remove demo/photo.png -o demo/cutout.png --stats
	$(DEMO) remove demo/photo.png -o demo/mask.png --mask
	$(DEMO) remove demo/photo.png -o demo/on-colour.jpg --bg-color teal
	@echo "Look at demo/cutout.png, demo/mask.png and demo/on-colour.jpg."

test-setup:
	@$(SETUP) tools venv weights photo wheel tests node node-tests

test: ## Run every test; the last lines count them, and name those that were skipped
	@$(PYTHON) tools/run_tests.py

# Compiles the tests in Rust and what else all tests need, without running any.
compile-tests: setup tools
	@$(SETUP) wheel
	@$(PYTHON) tools/build_features.py
	$(CARGO_ONE) zigbuild $(ONE) $(TESTED) --lib
	$(CARGO_ONE) test $(ONE) $(TESTED) --no-run

test-rust: compile-tests ## Run the tests of the Rust crates, and with them those in C and C++
	$(CARGO_ONE) test $(ONE) $(TESTED) --no-fail-fast -- $(PICTURES)

test-python: ## Run the tests of the Python package against a wheel of the dev profile
	@$(SETUP) tools tests photo
	@$(MAKE) --no-print-directory wheel PROFILE=dev
	$(WITH_WHEEL) --from .cache/dist -m pytest -n 2 "$(CURDIR)/bindings-python/tests"

test-quality: ## Run the tests of the benches in Python
	@$(SETUP) tests
	.cache/tests/bin/python -B -m pytest benches/quality benches/peers

quality: wheel ## Measure cut-outs beside rembg's on photos with known mattes: DATA=folder, WRITE=1 to write docs/quality.md
	@$(SETUP) quality
	$(WITH_WHEEL) --in quality "$(CURDIR)/benches/quality/bench.py" "$(DATA)" $(if $(WRITE),--write)

bench: setup ## Measure what each stage costs, and whole pictures, at 0.3 to 50 megapixels
	REMREMBG_ONNXRUNTIME="$(RUNTIME)" $(CARGO) bench --locked --package remrembg-benches
	@$(CARGO) run --release --quiet --locked --package remrembg-benches --bin report

bench-engine: setup ## Measure each kind of layer of the engine of our own, on one thread and on two
	$(CARGO) run --release --quiet --locked --package remrembg-native --example layers models/u2netp.onnx 1
	$(CARGO) run --release --quiet --locked --package remrembg-native --example layers models/u2netp.onnx 2

bench-peers: wheel node-package build ## Time cut-outs beside rembg's and imgly's: WRITE=1 to write docs/speed.md
	@$(SETUP) quality peers
	$(WITH_WHEEL) --in quality "$(CURDIR)/benches/peers/peers.py" $(if $(WRITE),--write)

bench-serve: build ## Put the service under load: 400 connections for five minutes, a thousand slow sockets, an endless body
	@$(SETUP) photo
	$(PYTHON) benches/load/load.py $(REMREMBG) demo/photo.png

bench-several: build ## Compare one server with two that share a Redis behind HAProxy, and kill one at work
	@$(SETUP) photo
	$(PYTHON) benches/load/several.py $(REMREMBG) demo/photo.png

soak-python: wheel ## Call the Python package ten thousand times: memory and open files must stay flat
	@$(SETUP) tests photo
	$(WITH_WHEEL) "$(CURDIR)/bindings-python/tests/soak.py"

test-node: ## Run the tests of the Node package against what `npm pack` makes of one of the dev profile
	@$(SETUP) tools node-tests venv photo
	@$(MAKE) --no-print-directory node-package PROFILE=dev
	$(WITH_PACKAGE) --test --test-concurrency=2 --test-reporter=spec "$(CURDIR)/$(NODE)/tests/"*.test.mjs

soak-node: node-package ## Call the Node package ten thousand times: memory and handles must stay flat
	@$(SETUP) node-tests photo
	$(WITH_PACKAGE) --expose-gc "$(CURDIR)/$(NODE)/tests/soak.mjs"
	TIMERS=200 TURNS=20 $(WITH_PACKAGE) --test "$(CURDIR)/$(NODE)/tests/loop.test.mjs" "$(CURDIR)/$(NODE)/tests/workers.test.mjs"

check: ## Everything that has to pass
	@$(PYTHON) tools/check.py

check-native: setup tools ## Run the C interface under sanitizers, and a thousand pictures
	@CARGO="$(CARGO)" MAKE="$(MAKE)" RUNTIME="$(RUNTIME)" ffi/tests/check-native.sh

check-engine: setup ## Run the tests of the engine of our own under AddressSanitizer, in Miri and on an emulated ARM
	@CARGO="$(CARGO)" native/check.sh

format: ## Check the formatting
	@$(SETUP) tests node
	$(CARGO) fmt --all --check
	$(RUFF) format --check --quiet
	cd $(NODE) && npm run --silent format

lint: setup ## Run clippy, ruff and eslint, with warnings as errors, and build the docs likewise
	@$(SETUP) tests node wheel
	$(RUFF) check --quiet
	cd $(NODE) && npm run --silent lint
	$(CARGO_ONE) clippy $(ONE) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO_ONE) doc $(ONE) --workspace --no-deps

licences: ## Check every dependency's licence and source, and that THIRD-PARTY.txt has the texts of all
	@$(SETUP) deny
	$(PYTHON) tools/licences.py --check
	.cache/cargo-deny --locked check licenses bans sources

advisories: ## Check dependencies against the advisory database, where it can be reached
	@$(SETUP) deny
	@tools/advisories.sh

generate: setup ## Write again what is generated from the code
	$(PYTHON) tools/licences.py
	REMREMBG_GENERATE=1 $(CARGO) test --locked --package remrembg --test generated
	REMREMBG_GENERATE=1 $(CARGO) test --locked --package remrembg-ffi --test header
	REMREMBG_GENERATE=1 $(CARGO) test --locked --package remrembg-server --test http -- fresh
	@$(MAKE) --no-print-directory node-package PROFILE=dev
	cd $(NODE) && npm run --silent types -- --out-file index.d.ts && cp index.d.ts index.d.mts
	@$(SETUP) node-tests
	REMREMBG_GENERATE=1 $(WITH_PACKAGE) --test --test-name-pattern 'table in docs' "$(CURDIR)/$(NODE)/tests/differences.test.mjs"

requirements: ## Pin the Python packages again, with their hashes
	tools/requirements.sh

clean: ## Remove everything that was built or fetched
	rm -rf target dist .venv .cache demo quality models/*.onnx
	cd $(NODE) && rm -rf node_modules dist prebuilds index.d.mts LICENSE NOTICE THIRD-PARTY.txt
