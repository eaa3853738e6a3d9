# `make` alone lists what there is. The first target that needs it makes .venv from requirements.txt;
# it is made anew when that file, pyproject.toml or the checkout's own path has changed, or a set-up was cut short.

PARAMS ?= params/titanic.yaml
UV := uv==0.13.9
BIN := .venv/bin
# the python3 at hand if it will do, else a newer or older one beside it
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo "$$p" && break; done)
MADE_FROM := { pwd; cat requirements.txt pyproject.toml; }

export MLFLOW_DISABLE_TELEMETRY := true

# OFFLINE=folder, which `make offline` filled: wheels come from there, and nothing asks a network, tests neither
FOLDER := outputs/offline
ifdef OFFLINE
export PIP_CONFIG_FILE := /dev/null
export PIP_NO_INDEX := 1
export PIP_FIND_LINKS := $(shell "$(PYTHON)" tools/offline.py address "$(OFFLINE)")
export UV_OFFLINE := 1
export UV_FIND_LINKS := $(PIP_FIND_LINKS)
endif

.DEFAULT_GOAL := help
.PHONY: help run test check trials faults together mutants lint lab serve mlflow bench bench-start bench-serve profile simulate bench-scale notebooks lock offline clean ready venv

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## */|/' | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

run: ready  ## the five notebooks on the Titanic, into outputs/titanic (PARAMS=params/quick.yaml for others)
	@$(BIN)/lifeboat run "$(PARAMS)"

# the archive of Spark's classes is made while style and types are checked, once: every JVM of the tests starts with it
test: ready  ## style, types and all tests
	@$(BIN)/lifeboat warm > /dev/null 2>&1 & $(MAKE) --no-print-directory lint; passed=$$?; wait; exit $$passed
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: ready  ## style, types and the tests that need no Spark, while you work
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -q -m "not spark" -n 2 --dist loadfile --no-loadscope-reorder

trials: ready  ## some thirty tables of the kinds that people have through all notebooks (an hour)
	@$(BIN)/python tests/trials/trial.py

faults: ready  ## a run broken in some hundred ways and gone on with: the same results (hours; FAULTS="SIGKILL to the JVM" for one)
	@$(BIN)/python tests/faults/faults.py $(if $(FAULTS),"$(FAULTS)")

together: ready  ## two runs at once, into a store of their own and into MLflow's server with PostgreSQL behind it (ten minutes)
	@$(BIN)/python tests/together/together.py

mutants: ready  ## which small changes to the library no test notices (an hour; N=200 SEED=7 ONLY=serving LEAVE=plots for others)
	@nice $(BIN)/python tools/mutants.py --number $(or $(N),60) $(if $(SEED),--seed $(SEED)) --only "$(ONLY)" --leave "$(LEAVE)"

lint: ready  ## style, types, and which room imports which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

lab: ready  ## JupyterLab on the notebooks, Spark's words first
	@LIFEBOAT_SPARK_UI=$${LIFEBOAT_SPARK_UI:-on} $(BIN)/jupyter lab --LabApp.news_url=None \
		--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate notebooks/00_spark.ipynb

serve: ready  ## the last run's model over HTTP (MODEL=models:/titanic@champion for others)
	@$(BIN)/lifeboat serve $(MODEL)

mlflow: ready  ## MLflow's pages on all runs and models
	@mkdir -p outputs
	@$(BIN)/mlflow ui --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///outputs/mlflow.db}"

bench-start: ready  ## a session up to its first answer, with the archive of Spark's classes and without
	@$(BIN)/python bench/start.py

bench: ready  ## the time of a run, against the same cells in one Python process
	@$(BIN)/python bench/series.py

bench-serve: ready  ## the server against a bare route, MLflow's server and Spark behind a route (wrk; ten minutes)
	@$(BIN)/python bench/serve.py

profile: ready  ## where a run's time goes: each notebook's slowest cells and their Spark jobs
	@$(BIN)/python bench/cells.py

simulate: ready  ## how often the intervals hold the truth, and the verdict lets in what it should not (20 minutes)
	@$(BIN)/python bench/simulate.py

bench-scale: ready  ## time and memory from 10^5 rows on, beside the plain approach and scikit-learn
	@$(BIN)/python bench/scale.py
	@$(BIN)/python bench/scale.py --figure

notebooks: ready  ## compute the committed notebooks' outputs anew
	@$(BIN)/python tools/write_parameters.py
	@$(BIN)/python tools/execute_notebooks.py
	@$(BIN)/python tools/make_checkpoints.py
	@$(BIN)/python tools/derive_exercises.py
	@$(BIN)/python tools/teaching_glossary.py
	@$(BIN)/python tools/teaching_times.py

lock: ready  ## write requirements.txt anew from pyproject.toml
	@$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --extra azure --upgrade --no-annotate --no-header \
		--quiet pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --constraint requirements.txt --no-annotate --no-header \
		--quiet deploy/container/requirements.in -o deploy/container/requirements.txt

offline: ready  ## a folder to install from without a network (FOLDER=/media/stick/lifeboat): make run OFFLINE=folder
	@$(BIN)/python tools/offline.py gather "$(FOLDER)" "$(UV)"

clean:  ## remove .venv and what tools keep; the runs in outputs/ stay
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage spark-warehouse outputs/.cache lib/*.egg-info

ready:
	@$(MADE_FROM) | cmp -s - .venv/made-from && test -x $(BIN)/python || $(MAKE) --no-print-directory venv

# uv takes a fifth of pip's time, but reads none of pip's settings: behind a mirror that only pip knows, pip does it
venv:
	@test -n "$(PYTHON)" || { echo "There is no Python 3.11, 3.12 or 3.13 here: install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -z "$(OFFLINE)" || "$(PYTHON)" tools/offline.py check "$(OFFLINE)" "$(UV)"
	@echo "Making .venv from requirements.txt: once, about a minute, 2 GB"
	@"$(PYTHON)" -m venv --clear .venv
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)" \
		&& $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r requirements.txt; } \
		|| { echo "uv could not do it; pip can, in a few minutes"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@$(MADE_FROM) > .venv/made-from
