# make run starts the desk, make test runs every test; each sets up what it needs by itself, in .venv.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check e2e soak bench engine-report docs lock screenshots

BIN := .venv/bin
# Spoken tests wait in real time far more than they compute: more workers than cores.
WORKERS ?= 3
ARGS ?=

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup: ## make .venv with everything that `make run` needs
	@python=$$(scripts/find-python) && $$python scripts/setup.py run

setup-dev:
	@python=$$(scripts/find-python) && $$python scripts/setup.py dev

run: setup ## start the desk at http://localhost:8000 (ARGS="--port 8001" and the like)
	@exec $(BIN)/helpline run $(ARGS)

test: setup-dev ## run every test (minutes)
# Some tests speak and listen in real time: what fails beside others is run once more alone, and must pass then.
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not soak" $(ARGS) || { echo "Once more, alone:"; \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none -m "not soak" $(ARGS); }

check: setup-dev ## lint, types and the floors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_floors.py tests/test_repository.py

e2e: setup-dev ## the tests in a real Chromium
	@$(BIN)/python -m pytest -m "e2e and not soak" $(ARGS)

soak: setup-dev ## the long tests
	@$(BIN)/python -m pytest -m soak --timeout 7200 $(ARGS)

bench: setup-dev ## goal, measured and verdict, a line each
	@$(BIN)/python -m bench.run $(ARGS)

engine-report: setup-dev ## measure how well the engine understands, into docs/engine-quality.md
	@$(BIN)/python scripts/engine_report.py $(ARGS)

docs: setup-dev ## write the pages that follow from the code
	@$(BIN)/python scripts/settings_page.py

lock: setup-dev ## write requirements/*.txt anew
	@scripts/lock

screenshots: setup-dev ## take the pictures in docs/images
	@$(BIN)/python scripts/screenshots.py
