# make demo        the whole journey on made-up news, in a terminal
# make test        every test but the long ones
# make check       everything that must pass before a change is merged
# make lint        format, style, complexity, types
# make test-long   the long tests too: crash loops, corpora, fuzzing, the wheel in a fresh environment
# make coverage    which lines no test reaches
# make bench       measure, and write docs/benchmarks.md: about ten minutes; ONLY=deliver,plan; FULL=1 takes hours
# make bench-check  which measured ratios fell by a quarter
# make words       gather what is to be translated into the catalogues
# make lock        renew the hash-locked requirements

PYTHON ?= python3
BIN := .venv/bin
# In a terminal pip shows what it fetches: it takes a minute, and silence looks like a fault.
QUIET := $(shell test -t 2 || echo --quiet)
PIP := $(BIN)/python -m pip install $(QUIET) --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header --no-strip-extras \
	--no-emit-index-url --no-emit-find-links

# The tests start hundreds of short processes: without bytecode each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-long check lint coverage bench bench-check words words-fresh lock

demo: .venv/demo
	$(BIN)/notifier demo

test: .venv/dev
	tests/install-chromium
	$(BIN)/python -W error -m pytest -q -m "not long"

test-long: .venv/dev
	tests/install-chromium
	$(BIN)/python -W error -m pytest -q --timeout=1200

# The steps run one after the other, the quickest first.
check: .venv/dev
	$(MAKE) lint
	$(MAKE) words-fresh
	$(MAKE) test

lint: .venv/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

coverage: .venv/dev
	tests/install-chromium
	$(BIN)/python -m pytest -q -m "not long" --cov --cov-report=term-missing:skip-covered

bench: .venv/bench
	$(BIN)/python bench/suite.py --only "$(ONLY)" $(if $(FULL),--full)

bench-check: .venv/dev
	$(BIN)/python bench/check.py

words: .venv/dev
	$(call update_catalogues,notifier/i18n/locale)

# Whether the catalogues are those that `make words` would write.
words-fresh: .venv/dev
	rm -rf .venv/locale && cp -R notifier/i18n/locale .venv/locale
	$(call update_catalogues,.venv/locale)
	diff -r notifier/i18n/locale .venv/locale || { echo "Run: make words"; exit 1; }

WORDS := -k _ -k ngettext:1,2 -k mark -k mark_number:1,2 -k LazyMessage -k plural:1,2 -k gettext
define update_catalogues
	$(BIN)/pybabel -q extract -F pyproject.toml --no-default-keywords --omit-header --sort-output --no-location \
		$(WORDS) -o .venv/words.pot .
	for catalogue in $(1)/*.po; do \
		$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --omit-header -w 118 \
			-l $$(basename $$catalogue .po) -i .venv/words.pot -o $$catalogue || exit 1; done
endef

lock: .venv/dev
	$(PIP) uv
	$(COMPILE) --upgrade pyproject.toml --extra demo --group dev --output-file requirements-dev.lock
	@# What a lock pins already is kept: each of the others begins as a copy, and loses what it does not need.
	for lock in requirements requirements-demo requirements-build requirements-bench; do cp requirements-dev.lock $$lock.lock; done
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra demo --output-file requirements-demo.lock
	$(COMPILE) --group build --output-file requirements-build.lock
	$(COMPILE) --group bench --output-file requirements-bench.lock

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "notifier needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

# What runs every day, from this checkout; the build tools are in their own lock, because an installation needs none.
.venv/run: .venv/bin/python requirements.lock requirements-build.lock
	@echo "Installing what notifier needs into .venv: about a minute, the first time only."
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --require-hashes -r requirements-build.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

.venv/demo: .venv/run requirements-demo.lock
	$(PIP) --require-hashes -r requirements-demo.lock
	touch $@

.venv/dev: .venv/run requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@

.venv/bench: .venv/dev requirements-bench.lock
	$(PIP) --require-hashes -r requirements-bench.lock
	touch $@
