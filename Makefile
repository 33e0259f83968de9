# make demo   the whole journey on made-up news, in a terminal       make lint   format, types, style
# make test   every test but the long ones                           make lock   renew the hash-locked requirements
# make words  gather what is to be translated into notifier/i18n/locale/
# make test-long   the long ones too: crash loops, corpora, fuzzing, the wheel in a fresh environment

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

.PHONY: demo test test-long lint lock words

demo: .venv/demo
	$(BIN)/notifier demo

test: .venv/dev
	tests/install-chromium
	$(BIN)/python -W error -m pytest -q -m "not long"

test-long: .venv/dev
	tests/install-chromium
	$(BIN)/python -W error -m pytest -q --timeout=1200

lint: .venv/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

words: .venv/dev
	$(BIN)/pybabel -q extract -F pyproject.toml --no-default-keywords --omit-header --sort-output --no-location \
		-k _ -k ngettext:1,2 -k mark -k mark_number:1,2 -k LazyMessage -k plural:1,2 -k gettext \
		-o .venv/words.pot .
	for code in de fr es; do \
		$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --omit-header -w 118 -l $$code -i .venv/words.pot \
			-o notifier/i18n/locale/$$code.po; done

lock: .venv/dev
	$(PIP) uv
	$(COMPILE) --upgrade pyproject.toml --extra demo --group dev --output-file requirements-dev.lock
	@# What a lock pins already is kept: each of the others begins as a copy, and loses what it does not need.
	for lock in requirements requirements-demo requirements-build; do cp requirements-dev.lock $$lock.lock; done
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra demo --output-file requirements-demo.lock
	$(COMPILE) --group build --output-file requirements-build.lock

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "notifier needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

# What runs every day, from this checkout; the build tools are in their own lock, because an installation needs none.
.venv/run: .venv/bin/python requirements.lock requirements-build.lock
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
