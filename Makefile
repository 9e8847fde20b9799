# Everything a person or the build server does here. `make demo` and `make test` need only python3, git and make.
#
#   make demo                       set up, build and load the sample city, open the map at http://127.0.0.1:8050
#   make demo PORT=8051             on another port
#   make demo DEMO_CITY="--size small"
#                                   another sample city: options of `python -m etl demo build`
#   make test TESTS=tests/test_x.py only these tests
#   make test AT_ONCE=0             one after the other
#   make check                      style, types, architecture and declarations, without a database
#   make bench, make soak           the figures to reach; the long tests
#   make down                       stop the database server
#   make clean                      remove it, and everything else that was made

PYTHON ?= python3
# The active conda environment made from environment.yml, else .venv; install/python.py decides by the same rule.
HAS_POSTGIS := $(wildcard $(addprefix $(CONDA_PREFIX)/share/,extension/postgis.control postgresql/extension/postgis.control))
CONDA := $(if $(CONDA_PREFIX),$(if $(HAS_POSTGIS),$(CONDA_PREFIX)))
PY := $(if $(CONDA),$(CONDA)/bin/python,.venv/bin/python)
DEMO_CITY ?=
TESTS ?= tests
# A file's tests stay together, since they share what they load; two at once use both cores of a small machine.
AT_ONCE ?= 2
STOP_TEST_SERVER := env -u DATABASE_URL LOCAL_DIR=.local/test $(PY) -m layers.server stop

.PHONY: help setup demo test check bench soak down clean lock

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

setup:
	@$(PYTHON) -m install setup

demo:
	@$(PYTHON) -m install demo
	@$(PY) -m install.demo $(DEMO_CITY)

# The tests have a cluster of their own in .local/test; it is stopped whatever comes out.
test:
	@$(PYTHON) -m install test
	@$(MAKE) --no-print-directory --silent checks
	@$(PY) -m pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder -m "not soak" $(TESTS); code=$$?; $(STOP_TEST_SERVER); exit $$code

check:
	@$(PYTHON) -m install check
	@$(MAKE) --no-print-directory --silent checks

.PHONY: checks
checks:
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m pytest --noconftest tests/test_architecture.py tests/test_setup_lock.py
	@$(PY) -m etl check

bench:
	@$(PYTHON) -m install bench
	@$(PY) -m tests.benchmarks

soak:
	@$(PYTHON) -m install test
	@$(PY) -m pytest -m soak $(TESTS); code=$$?; $(STOP_TEST_SERVER); exit $$code

down:
	@$(PYTHON) -m install down

clean:
	@$(PYTHON) -m install clean

# Makes requirements.lock anew from pyproject.toml; takes uv, which nothing else here needs.
lock:
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links --no-annotate -o requirements.lock
