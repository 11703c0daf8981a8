# `make demo` and `make test` install everything they need. `make help` lists all commands.

AIRFLOW ?= 3.3
LOCK := constraints/airflow-$(AIRFLOW).txt
VENV := .venv$(if $(filter-out 3.3,$(AIRFLOW)),-$(AIRFLOW))
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# Airflow starts three times slower without compiled bytecode.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv versions azurite demo demo-ui docs lint test test-lowest test-newest test-platforms matrix test-long test-crash test-mutants test-distributed test-warehouse test-readers test-wheel test-browser screenshots bench lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/ready: $(LOCK) setup.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is required: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing Airflow $(AIRFLOW) into $(VENV), once ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint $(LOCK) --editable '.[duckdb]'
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	@echo "Installing the test dependencies into $(VENV), once ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint $(LOCK) --editable '.[dev]'
	@touch $@

$(VENV)/ready-readers: $(VENV)/ready-dev
	@echo "Installing ClickHouse and Spark into $(VENV), once ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint $(LOCK) --editable '.[readers]'
	@touch $@

# The Azure emulator needs npm. Package scripts are not run.
AZURITE := tests/support/stores/azurite
$(AZURITE)/node_modules/.package-lock.json: $(AZURITE)/package-lock.json
	@if command -v npm >/dev/null; then echo "Installing Azurite, once ..." && \
		npm ci --prefix $(AZURITE) --ignore-scripts --no-audit --no-fund --loglevel error >/dev/null && touch $@; \
	else echo "npm is missing: the Azure tests are skipped"; fi

azurite: $(AZURITE)/node_modules/.package-lock.json ## install the Azure emulator of the tests

venv: $(VENV)/ready-dev ## create the virtual environment from the lock

demo: $(VENV)/ready ## export a week of events with a real Airflow from the emulator (or from your account)
	@$(BIN)/python demo/run.py

demo-ui: $(VENV)/ready ## start an Airflow to click through, with exported weeks, until Ctrl-C (PORT=8080)
	@$(BIN)/python demo/ui.py .demo-ui $(or $(PORT),8080)

docs: venv ## build the site of the documentation in site/ (needs Graphviz)
	@command -v dot >/dev/null || { echo "Graphviz is missing: apt-get install --no-install-recommends graphviz"; exit 1; }
	PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

lint: venv ## check lint, format, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The types of the newest Airflow are checked, so the oldest one runs without lint.
test: $(if $(filter 3.3,$(AIRFLOW)),lint) venv azurite ## lint and the tests, in seven minutes (AIRFLOW=3.1 and AIRFLOW=3.4 for other versions)
	$(BIN)/pytest -n auto --dist loadfile --matrix

test-lowest: ## the tests with Airflow 3.1.8 and the lowest version of every dependency of setup.py
	@$(MAKE) --no-print-directory test AIRFLOW=3.1-lowest

test-newest: ## the tests with the newest version of everything, without a lock
	@$(MAKE) --no-print-directory test AIRFLOW=3.3-newest

versions: venv ## print the versions of Python and Airflow
	@$(BIN)/python -c "import platform, importlib.metadata as m; print(platform.python_version(), m.version('apache-airflow'))"

test-platforms: ## the tests of a running Airflow on Airflow 3.1, 3.3 and 3.4; .ci/run takes one of them, another one each day
	$(PYTHON) -m tests.platforms running-airflow

matrix: venv ## print how an export ends for each fault, on each page, once and always
	$(BIN)/pytest -n auto --matrix tests/export/test_bad_days.py

test-long: venv ## tests of a minute each: memory, full disks, a long history, every way to start a run (AIRFLOW=3.1 too)
	$(BIN)/pytest -n auto --dist loadfile -m "full_disk or history or run_starts" tests/system

test-crash: venv azurite ## kill, stop and race exports on three stores, in ten minutes (CRASH=all for every step)
	$(BIN)/pytest -n 0 -m crash tests/system

test-mutants: venv ## make mistakes on purpose; a test must fail on each
	$(BIN)/pytest -n auto -m mutants tests/system

test-distributed: venv ## backfill thirty days with Celery and with the local executor on PostgreSQL, and kill a worker
	$(BIN)/pytest -s -m distributed tests/system

test-warehouse: venv ## load thirty days into DuckDB and PostgreSQL with a running Airflow, and kill loads
	$(BIN)/pytest -n 0 -m warehouse tests/system

test-readers: $(VENV)/ready-readers ## read the files with six readers, on a disk and in S3 (Spark needs Java)
	$(BIN)/pytest -n 0 -m readers tests/system

test-wheel: venv ## export with the wheel alone in empty environments, on the lowest versions and on the newest
	$(BIN)/pytest -n 0 -m wheel tests/system

test-browser: venv ## walk through Airflow's UI with Chromium (SCREENSHOTS=folder keeps the pictures)
	$(BIN)/pytest -n 0 -m browser tests/system

screenshots: ## take the pictures of the documentation again
	PYTEST_ADDOPTS="-p no:randomly" $(MAKE) test-browser SCREENSHOTS=$(CURDIR)/.screenshots
	mkdir -p docs/images
	$(BIN)/python demo/picture.py docs/images/demo.svg
	cp .screenshots/overview-light.png .screenshots/dataset-light.png .screenshots/dataset-dark.png docs/images/

bench: venv ## compare the export with other tools, and measure its growth (EVENTS="20000 200000" ROUNDS=5 GROWTH="20000 200000 1000000 5000000")
	$(BIN)/python benchmarks/bench.py $(if $(EVENTS),--events $(EVENTS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(GROWTH),--growth $(GROWTH))

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --strip-extras
LOWEST := constraints/airflow-3.1-lowest.txt

lock: venv ## update constraints/ from setup.py
	@for airflow in 3.1.0 3.3.0 3.4.0b1; do echo "apache-airflow~=$$airflow" | $(COMPILE) --upgrade --all-extras \
		setup.py - --output-file constraints/airflow-$${airflow%.0*}.txt || exit 1; done
	@# requests 2.32 warns of a newer chardet, which Google's provider brings along.
	@echo "chardet==5.*" | $(COMPILE) --upgrade --resolution lowest-direct \
		$(foreach extra,s3 gcs azure duckdb postgres,--extra $(extra)) setup.py - --output-file $(LOWEST)
	@$(COMPILE) --constraint $(LOWEST) --extra dev setup.py --output-file $(LOWEST)

clean: ## remove the virtual environments and the output of the demo
	rm -rf .venv .venv-* $(AZURITE)/node_modules .demo .demo-ui .screenshots .bench site build dist *.egg-info
