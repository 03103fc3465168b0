# Needs Python 3.11, 3.12 or 3.13 and nothing else. Works with GNU make 3.81 and later.

SHELL := /bin/sh
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PORT := 4200
STAMP := .venv/.installed

# The first Python that fits, unless PYTHON names one: `make install PYTHON=/opt/python/bin/python3.12`.
FITS := import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 14))
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3; do \
	if $$python -c '$(FITS)' >/dev/null 2>&1; then echo $$python; break; fi; done)
endif

.PHONY: help install demo server stop test test-full test-pure year check bench bench-memory dictionary golden clean

help:
	@echo "make demo     install, then load the sample district into a local sandbox"
	@echo "make server   install, then start Prefect and a worker on this machine, and deploy the flows"
	@echo "make stop     end them"
	@echo "make test     install, then run every test"
	@echo "make test-full  the same tests, with many more examples of each property"
	@echo "make test-pure  install, then run the tests that also pass on Windows"
	@echo "make year     install, then live a simulated year in each layout, and print what each planted fault of an export came to"
	@echo "make check    install, then check format, lint, types, layers and spelling"
	@echo "make bench    install, then measure speed against bare scripts and loops"
	@echo "make bench-memory  install, then measure the memory of loading 700,000 records"
	@echo "make dictionary  write docs/data_dictionary.md and docs/layouts.md"
	@echo "make golden   record again what the program does with every sample; read the difference"
	@echo "make install  create .venv and install the pinned packages into it"
	@echo "make clean    remove .venv, caches and measurements; the state in .roster stays"

install: $(STAMP)

# Run again only if the pins or the project's own settings changed. The stamp is the last step, so that
# an installation that stopped early is done again.
$(STAMP): constraints.txt pyproject.toml
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c '$(FITS)' >/dev/null 2>&1; then \
		echo "roster needs Python 3.11, 3.12 or 3.13, and none was found$(if $(PYTHON), as $(PYTHON),)." >&2; \
		echo "Install one (Debian: apt install python3 python3-venv; macOS: brew install python@3.12)," >&2; \
		echo "or name it: make $(firstword $(MAKECMDGOALS) install) PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		echo "$(PYTHON) lacks the venv module. On Debian and Ubuntu it is a package of its own:" >&2; \
		echo "apt install python3-venv (or python3.12-venv, by the version of $(PYTHON))." >&2; \
		exit 1; \
	fi
	@rm -f $(STAMP)
	@if ! $(BIN)/python -c 'import pip; $(FITS)' >/dev/null 2>&1; then rm -rf .venv && $(PYTHON) -m venv .venv; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: install
	$(BIN)/roster sync sample_data/oneroster_1_2

server: install
	$(BIN)/python -m flows.orchestration.server start --port $(PORT) $(if $(LIMIT),--limit $(LIMIT))

stop:
	$(BIN)/python -m flows.orchestration.server stop

# Two processes more than there are cores: one has the tests of Prefect and mostly waits (tests/spreading.py says which test goes where).
# Keep compiled files, so that each process need not compile the program again. Keep the files of tests in memory where Linux has
# two gigabytes for them.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000000 { print "TMPDIR=/dev/shm" }')
PYTEST := PYTHONDONTWRITEBYTECODE= $(MEMORY) $(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder

test: install
	$(PYTEST)

# The same properties with many examples, and others every time: for every night, and before a release.
test-full: install
	ROSTER_STRENGTH=full $(PYTEST)

# Tests that start no server and no process and use nothing that only POSIX systems have. Windows and macOS run these.
PURE := tests/transforms tests/nasty tests/layouts tests/mappings tests/drops tests/settings tests/containers tests/test_dirt.py
# Modules in those folders that need more: the ledger's file locks, file modes, FIFOs, or names that differ only in case.
NOT_PURE := tests/layouts/test_nights.py tests/mappings/test_layouts.py tests/mappings/test_map.py \
	tests/drops/test_sources.py tests/drops/test_fetching.py

test-pure: install
	$(BIN)/pytest $(PURE) $(NOT_PURE:%=--ignore=%)

# Some twenty minutes. `.venv/bin/python -m tests.year few` visits one night in each layout.
year: install
	$(BIN)/python -m tests.year

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: install
	$(BIN)/python -m tests.bench

bench-memory: install
	$(BIN)/python -m tests.bench memory

dictionary: install
	$(BIN)/python -m flows.dictionary

golden: install
	$(BIN)/python -m tests.golden.whole

clean:
	rm -rf .venv .bench .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
