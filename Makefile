# The two commands of the README, and what a developer needs.  Every target works in a fresh clone.
PYTHON ?= python3
VENV := .venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1
BIN := $(VENV)/bin
ARGS ?=
UV ?= uv

.PHONY: demo security-demo test coverage soak soak-security lint lock clean
.DEFAULT_GOAL := test

# Set-up talks on stderr, so that `make demo ARGS='--json'` keeps stdout for the answer.
$(VENV)/sandbox.stamp: requirements/sandbox.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Baton needs Python 3.11 or later: make PYTHON=python3.12 $(MAKECMDGOALS)" 1>&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) 1>&2
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/sandbox.txt 1>&2
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable . 1>&2
	@touch $@

$(VENV)/test.stamp: requirements/test.txt $(VENV)/sandbox.stamp
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/test.txt 1>&2
	@touch $@

demo: $(VENV)/sandbox.stamp
	@$(BIN)/baton demo $(ARGS)

# Six streams behind one barrier, by one person in one terminal.
security-demo: $(VENV)/sandbox.stamp
	@$(BIN)/baton security demo $(ARGS)

# Files in two processes: most tests wait for a server or a client of their own.
test: lint
	@$(BIN)/python -m pytest -m 'not soak' -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: $(VENV)/test.stamp
	@$(BIN)/python -m pytest -m 'not soak' --cov --cov-report=term $(ARGS)

# Releases while anything dies at any time; BATON_SOAK_RELEASES says how many.
soak: $(VENV)/test.stamp
	@$(BIN)/python -m pytest -m soak $(ARGS)

# Six streams behind one barrier while workers die, and how long six take against one; needs two quiet cores.
soak-security: $(VENV)/test.stamp
	@$(BIN)/python -m pytest -m soak -s tests/e2e/test_soak_security.py $(ARGS)

lint: $(VENV)/test.stamp
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Locks carry hashes and no addresses: any index that has the same files will do.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
lock:
	$(LOCK) --group test --extra sandbox pyproject.toml -o requirements/test.txt
	$(LOCK) --extra sandbox pyproject.toml --group build -c requirements/test.txt -o requirements/sandbox.txt
	$(LOCK) --extra codec pyproject.toml -c requirements/test.txt -o requirements/run.txt
	$(LOCK) --group build -c requirements/test.txt -o requirements/build.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
