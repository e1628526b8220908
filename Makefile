# Everything starts here; what each target does is in README.md.
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$python >/dev/null 2>&1 && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)
endif
VENV := .venv/bin
.PHONY: run test browse faults lint format doctor bench bench-long evals lock audit installed setup python

run: python
	@exec $(PYTHON) -m support_agent.launch.bootstrap run

test: setup
	@exec $(VENV)/python -m support_agent.launch.testing $(ARGS)

# Every page, size, theme and way through the product in Chromium: a quarter of an hour.
browse: setup
	@exec $(VENV)/python -m pytest -p no:xdist -p no:randomly -m deep $(ARGS)

# Real processes killed, servers restarted, lines cut: minutes. Writes its figures into docs/reliability.md.
faults: setup
	@exec $(VENV)/python -m pytest -p no:xdist -p no:randomly -m faults $(ARGS)

lint: setup
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy .
	@$(VENV)/python -m pytest -q -p no:xdist tests/test_layers.py tests/test_dependencies.py

format: setup
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

doctor: installed
	@exec $(VENV)/python -m support_agent.launch doctor $(ARGS)

# Speed and cost, every figure with its target: 15 minutes at most. Writes docs/performance.md and docs/scaling.md.
# ARGS="--only turns,loads" prints a part and writes nothing; ARGS="--repeats 5"; ARGS="--no-write".
bench: setup
	@exec $(VENV)/python -m tests.benchmarks $(ARGS)

# The same with larger sizes, and a soak of 20 minutes.
bench-long: setup
	@exec $(VENV)/python -m tests.benchmarks --long $(ARGS)

# The evaluation cases against the demo model. ARGS="--model live --budget 2" asks the configured ones, which costs money.
# For continuous integration: ARGS="--no-record --junit evals.xml --html evals.html".
evals: installed
	@exec $(VENV)/python -m support_agent.launch run_evals $(ARGS)

# Pins the newest allowed versions, with hashes, for every platform and Python >= 3.11.
lock: setup
	@command -v uv >/dev/null || { echo "make lock needs uv: see https://docs.astral.sh/uv/"; exit 1; }
	@for name in requirements requirements-embedded requirements-dev; do \
		uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
			--custom-compile-command "make lock" $$name.in -o $$name.txt || exit 1; done

# Known holes of everything pinned, by the advisory database: needs the network. make lint checks what is known without.
audit: python
	@files="-r requirements.txt -r requirements-embedded.txt -r requirements-dev.txt"; \
	if command -v uvx >/dev/null; then uvx pip-audit --disable-pip --require-hashes $$files; \
	elif command -v pip-audit >/dev/null; then pip-audit --disable-pip --require-hashes $$files; \
	else echo "make audit needs uvx (https://docs.astral.sh/uv/) or pip-audit."; exit 1; fi

installed: python
	@$(PYTHON) -m support_agent.launch.bootstrap run-setup

setup: python
	@$(PYTHON) -m support_agent.launch.bootstrap dev-setup

python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer was not found: install it, or say PYTHON=/path/to/python3 make $(MAKECMDGOALS)."; exit 1; }
