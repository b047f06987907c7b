# Commands of the compendium. Each bootstraps what it needs: Python 3.11 to 3.13 with venv, and make, are enough.
PYTHON   ?= python3
SCALE    ?= page
SOLUTIONS ?= 1
DEVICE   ?= cpu
TESTS    ?= tests notebooks
JOBS     ?= 2
UV_VERSION := 0.13.8

export UV_PYTHON_DOWNLOADS := never
export TF_CPP_MIN_LOG_LEVEL := 3
export TF_ENABLE_ONEDNN_OPTS := 0
export KERAS_BACKEND ?= tensorflow
# What JAX compiles is kept here, so that tests and chapters compile it once.
export JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/build/jax
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS ?= 0.1

# An environment is named by its lock; its stamp is named by the lock's and pyproject's contents, so that nothing is
# installed again (or looked up on the network) until one of them changes.
sum   = $(firstword $(shell cat $(1) pyproject.toml | cksum))
MAIN  := .venv/.installed-$(call sum,requirements.lock)
GPU   := .venv-gpu/.installed-$(call sum,requirements-gpu.lock)
BENCH := .venv-bench/.installed-$(call sum,requirements-bench.lock)
UV    := .uv/bin/uv

ifeq ($(DEVICE),gpu)
paper chapter: export KERAS_BACKEND := jax
RUN_ENV := .venv-gpu
RUN_STAMP := $(GPU)
else ifeq ($(DEVICE),cpu)
RUN_ENV := .venv
RUN_STAMP := $(MAIN)
else
$(error DEVICE is $(DEVICE); it may be cpu or gpu)
endif

.DEFAULT_GOAL := help
.PHONY: help book test browser chapter paper bench notebooks tables locks clean distclean

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):[^#]*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

book: $(MAIN)  ## run stale chapters, build the book into _build/html (SOLUTIONS=0: without solutions)
	@.venv/bin/python tools/build.py $(CHAPTER) --scale $(SCALE) --solutions $(SOLUTIONS) $(PARAMS)

test: $(MAIN)  ## all tests: package, book, committed notebooks (TESTS=tests/test_book.py: some; JOBS=1: no workers)
	@.venv/bin/python -m pytest --nbval --nbval-sanitize-with nbval_sanitize.cfg -n $(patsubst 1,0,$(JOBS)) --dist loadfile $(TESTS)

browser: book  ## the built book in a headless browser: maths, search, accessibility, light and dark
	@sh tools/browser/run _build/html

chapter: $(RUN_STAMP)  ## one chapter into build/chapters: CHAPTER=01_slug SCALE=smoke PARAMS="-p L_max 60"
	@test -n "$(CHAPTER)" || { echo 'name one: make chapter CHAPTER=01_symmetry_energy'; exit 2; }
	@$(RUN_ENV)/bin/python tools/execute.py $(CHAPTER) --scale $(SCALE) $(PARAMS) --out build/chapters

paper: $(RUN_STAMP)  ## paper-scale run of all chapters or CHAPTER=..., writes results/ (DEVICE=gpu: Keras on JAX)
	@$(RUN_ENV)/bin/python tools/execute.py $(CHAPTER) --scale paper $(PARAMS) $(if $(filter gpu,$(DEVICE)),-p variant gpu) \
		--force --out build/paper
	@$(RUN_ENV)/bin/python tools/tables.py README.md

bench: $(BENCH)  ## benchmarks against other codes, writes results/benchmarks.json
	@.venv-bench/bin/python benchmarks/run.py

notebooks: $(MAIN)  ## renew the committed notebooks/*.ipynb (outputs at page scale)
	@.venv/bin/python tools/execute.py $(CHAPTER) --commit

tables: $(MAIN)  ## renew the generated tables in README.md
	@.venv/bin/python tools/tables.py README.md

locks: $(UV)  ## resolve pyproject.toml again into the three lock files
	@$(call resolve,--extra hfb21 --group book --group test,requirements.lock)
	@$(call resolve,--extra gpu --group book,requirements-gpu.lock)
	@$(call resolve,--group bench --group test,requirements-bench.lock)

clean:  ## remove all that was built, keep the environments
	rm -rf build executed _build .pytest_cache .hypothesis

distclean: clean  ## remove the environments too
	rm -rf .venv .venv-gpu .venv-bench .uv tools/browser/node_modules

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3.12")'
	@echo "installing uv"
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

resolve = $(UV) pip compile pyproject.toml $(1) --universal --generate-hashes --no-header --no-annotate --quiet \
	--python-version 3.11 --no-emit-index-url --no-emit-find-links -o $(2)

# $(1) folder, $(2) lock
define install
	@test -x $(UV) || $(MAKE) --no-print-directory $(UV)
	@echo "installing $(2) into $(1)"
	@$(UV) venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(1)
	@rm -f $(1)/.installed-*
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(1)/bin/python $(2)
	@$(UV) pip install --quiet --no-deps --python $(1)/bin/python -e .
	@touch $@
endef

$(MAIN):
	$(call install,.venv,requirements.lock)

$(GPU):
	$(call install,.venv-gpu,requirements-gpu.lock)

$(BENCH):
	$(call install,.venv-bench,requirements-bench.lock)
