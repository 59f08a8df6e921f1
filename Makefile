# Two commands: `make run` and `make test`. Everything they need they install, once, into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

# The release of PyTorch that this set was tested with. PyPI's file for it brings CUDA (some GB); for the small CPU
# build or another release:   make run TORCH=torch==2.13.0+cpu PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
TORCH  ?= torch==2.13.0

export PYTHON

help: ## show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(VENV)/.run ## install, then start: ARGS="rtsp://… --record out.mp4" goes to `facestream run`
	@scripts/system_packages.py run
	@$(BIN)/facestream run $(ARGS)

test: $(VENV)/.dev ## install, then run the tests on every core: ARGS goes to pytest
	@scripts/system_packages.py test
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal $(ARGS)

bench: $(VENV)/.dev .bench-venv/.ready ## measure speed, beside MediaPipe and a plain decoder: ARGS="--help"
	@scripts/system_packages.py run
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(VENV)/.dev ## style, formatting, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

screenshots: $(VENV)/.dev ## draw every page and state of the window into out/screenshots: ARGS="--help"
	@scripts/system_packages.py test
	@$(BIN)/python -m tests.ui.screenshots $(ARGS)

clean: ## remove what was installed and cached; recordings in out/ stay
	rm -rf $(VENV) .bench-venv .mypy_cache .ruff_cache .pytest_cache build *.egg-info

# Installed again only when the requirements change, or when TORCH is named on the command line.
$(VENV)/.run: pyproject.toml constraints.txt $(if $(filter command,$(firstword $(origin TORCH))),FORCE)
	@scripts/system_packages.py run
	@scripts/install $(VENV) -c constraints.txt "$(TORCH)" -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(if $(filter command,$(firstword $(origin TORCH))),FORCE)
	@scripts/system_packages.py test
	@scripts/install $(VENV) -c constraints.txt "$(TORCH)" -e '.[dev]'
	@touch $(VENV)/.run $@

# The peer wants an older numpy than ours, so it lives in an environment of its own.
.bench-venv/.ready: Makefile
	@scripts/install .bench-venv mediapipe==0.10.21
	@touch $@

FORCE:
.PHONY: help run test bench lint screenshots clean FORCE
.DEFAULT_GOAL := help
