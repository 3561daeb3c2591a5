SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
HOME_DIR ?= ward-home
RESIDENTS ?= 20000
SEED ?= 2024
ONLY ?=
export UV_SYSTEM_CERTS ?= 1
.PHONY: help demo serve test lint bench mutants lock system clean

help: ## この一覧
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/.run ## 架空の区で一年分を通す（SQLite、追加の準備なし）
	$(BIN)/benefit --home $(HOME_DIR) demo --residents $(RESIDENTS) --seed $(SEED)

serve: .venv/.run ## 給付管理システムの画面を開く（make demo のあと）
	$(BIN)/benefit --home $(HOME_DIR) serve desk

test: system .venv/.dev ## 試験（PostgreSQL と Chromium を必要なら入れる）
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -n 2 --dist loadgroup

lint: .venv/.dev ## 書式・型・層の検査
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: system .venv/.dev ## 速さを、同じ回で測った相手との比で示す（ONLY=名前）
	$(BIN)/python -m tests.bench $(ONLY)

mutants: .venv/.dev ## 規則に誤りを一つずつ入れ、試験が見つけるかを数える（ONLY=規則の名）
	$(BIN)/python -m tests.mutation $(ONLY)

lock: .venv/.dev ## 依存を固定し直す
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean: ## 仮想環境とデモの結果を消す
	rm -rf .venv $(HOME_DIR)

.venv/bin/uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 以上が必要です") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(SUDO) apt-get update -qq; $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
	touch $@

.venv/.run: .venv/bin/uv requirements.lock pyproject.toml
	[ -f .venv/.dev ] || $(BIN)/uv pip sync -q --require-hashes requirements.lock
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@

.venv/.dev: .venv/bin/uv requirements.lock requirements-dev.lock pyproject.toml
	$(BIN)/uv pip sync -q --require-hashes requirements-dev.lock
	$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@ .venv/.run

system: ## 足りない道具だけを入れる（PostgreSQL、Chromium、手紙の速さを比べる WeasyPrint の Pango）
	@need=()
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || need+=(python3-venv)
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need+=(postgresql)
	command -v chromium >/dev/null || need+=(chromium)
	ldconfig -p | grep -q libatomic.so.1 || need+=(libatomic1)
	ldconfig -p | grep -q libpangoft2-1.0.so.0 || need+=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)
	(( $${#need[@]} )) || exit 0
	if [[ " $${need[*]} " == *" postgresql "* ]]; then
	  # クラスタを作らせない: 試験が自分用のサーバを loopback に立てる。
	  $(SUDO) mkdir -p /etc/postgresql-common/createcluster.d
	  echo 'create_main_cluster = false' | $(SUDO) tee /etc/postgresql-common/createcluster.d/none.conf >/dev/null
	fi
	$(SUDO) apt-get update -qq
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${need[@]}"
