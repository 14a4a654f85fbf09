# The portal's everyday commands; `make` alone lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help setup demo demo-reset test check format bench lock messages openapi

PORT ?= 8000
HOST ?= 127.0.0.1
export PORT HOST
# The first Python that is new enough; an old one is still asked, because it can say what is missing.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; \
	done; command -v python3 || echo python-is-missing)
BOOTSTRAP = @$(PYTHON) scripts/bootstrap.py
RUN = .venv/bin/python
COMPILE = .venv/bin/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with the locked packages, nothing else
	$(BOOTSTRAP) setup

demo: ## run everything with demo data (PORT=8000 HOST=127.0.0.1 PYTHON=…)
	$(BOOTSTRAP) demo

demo-reset: ## wipe the demo's data
	$(BOOTSTRAP) demo-reset

test: ## all tests on SQLite, and on PostgreSQL, Redis and MQTT where they answer
	$(BOOTSTRAP) setup --set dev
	@$(RUN) scripts/run_tests.py

check: ## layout, types, imports, templates, translations, deployment files
	$(BOOTSTRAP) setup --set dev
	@$(RUN) scripts/check.py

format: ## put code and templates into the house's layout
	$(BOOTSTRAP) setup --set dev
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .
	@find templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 {} + || true

openapi: ## write docs/openapi.yaml and docs/openapi-farm.yaml anew
	$(BOOTSTRAP) setup --set dev
	@SECRET_KEY=for-the-schema-only $(RUN) manage.py spectacular --validate --fail-on-warn \
		--file docs/openapi.yaml
	@SECRET_KEY=for-the-schema-only $(RUN) manage.py spectacular --validate --fail-on-warn \
		--custom-settings farm.api.schema.SETTINGS --file docs/openapi-farm.yaml

bench: ## measure speed (docs in bench/)
	$(BOOTSTRAP) setup --set bench
	@$(RUN) bench/run.py

lock: ## pin pyproject.toml's dependencies anew (needs the network)
	$(BOOTSTRAP) setup --set dev
	@$(COMPILE) --upgrade requirements/uv.in -o requirements/uv.txt
	@$(COMPILE) --upgrade requirements/broker.in -o requirements/broker.txt
	@$(COMPILE) --upgrade pyproject.toml -o requirements/base.txt
	@$(COMPILE) --upgrade --extra dev pyproject.toml -o requirements/dev.txt
	@$(COMPILE) --upgrade --extra dev --extra bench pyproject.toml -o requirements/bench.txt

messages: ## collect and compile the texts to translate (needs gettext)
	$(BOOTSTRAP) setup --set dev
	@SECRET_KEY=for-makemessages-only $(RUN) manage.py makemessages --locale vi --no-obsolete --no-wrap \
		--ignore '.venv/*' --ignore 'var/*' --ignore 'bench/*' --ignore 'tests/*'
	@$(RUN) scripts/third_party_messages.py
	@SECRET_KEY=for-compilemessages-only $(RUN) manage.py compilemessages --ignore '.venv/*'
