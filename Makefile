# Two commands: `make demo` makes a film, `make test` runs every test. Both install what they need, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
KIND ?= $(if $(shell command -v nvidia-smi 2>/dev/null),gpu,cpu)
VENV := .venv
STAMP := $(VENV)/.installed-$(KIND)
LOCKS := requirements/$(KIND).lock requirements/$(KIND)-nodeps.txt
PIP := $(VENV)/bin/pip --disable-pip-version-check
CONFIG ?= serve_config.local.yaml
PORT ?= 8000
DASHBOARD_PORT ?= 8265
TOPIC ?= 小狐狸学会分享
PYTEST ?=
export TOPIC ROLE SCENE

.PHONY: demo test check serve install clean

demo: install
	@$(VENV)/bin/troupe demo --topic "$$TOPIC" --role "$$ROLE" --scene "$$SCENE" \
		--port $(PORT) --dashboard-port $(DASHBOARD_PORT)

serve: install
	@exec $(VENV)/bin/troupe serve --config $(CONFIG) --port $(PORT) --dashboard-port $(DASHBOARD_PORT)

test: install
	@$(VENV)/bin/python -m pytest $(PYTEST)

check: install
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/python -m pytest -q tests/test_layers.py

install: $(STAMP)

$(STAMP): $(LOCKS) pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed; set PYTHON=…")'
	@echo "Installing into $(VENV), once: three minutes and 4 GB …"
	@test -x $(VENV)/bin/python || "$(PYTHON)" -m venv $(VENV)
ifeq ($(KIND),cpu)
	@$(PIP) install --quiet "torch==2.13.0"
endif
	@$(PIP) install --quiet --no-deps $(addprefix -r ,$(LOCKS))
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable . 2> $(VENV)/editable.log || { cat $(VENV)/editable.log; exit 1; }
	@touch $@

clean:
	rm -rf $(VENV)
