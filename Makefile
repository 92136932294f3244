# Plaza. `make run` shows a whole node; `make test` proves it. Both prepare the machine themselves.
.PHONY: help image bundle cve check-image bench-image setup setup-test setup-bench run test test-appliance test-arm test-vm test-card-python test-ejido worlds check bench bench-dns a11y screens strings lock wheel clean
PY := .venv/bin/python

help:  ## what this Makefile does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:  ## prepare this Debian 12 machine to run Plaza (packages, .venv); instant the second time
	@.ci/setup run

setup-test:
	@.ci/setup run test
setup-bench:
	@.ci/setup run test bench

run: setup  ## a whole node with simulators: kiosk, portal, queue, city; prints the addresses
	@$(PY) -P -m plaza demo

# Drivers are tested against real clocks, and a busy machine can make one late: what fails is run once more,
# alone. Both results are shown; a real fault fails twice.
test: setup-test check  ## every test but the slow machines; root or sudo also proves the firewall
	@$(PY) -P -m pytest || { echo "Once more, only what failed:"; \
	  $(PY) -P -m pytest --last-failed --last-failed-no-failures=none; }
	@if [ "$$(id -u)" -ne 0 ]; then \
	  if sudo -n true 2>/dev/null; then \
	    echo "Now as root: the firewall in network namespaces and the install script in a throw-away Debian."; \
	    sudo -n $(PY) -P -m pytest -p no:cacheprovider tests/network tests/appliance; \
	  else \
	    echo "NOT RUN: the firewall and install tests need root; run  sudo make test  to prove them."; \
	  fi; \
	fi

test-appliance: setup-test  ## the card itself in virtual machines, two side by side: QEMU, no KVM (minutes; root)
	@.ci/setup vm
	@$(MAKE) --no-print-directory image BOARD=vm-amd64 QUICK=1
	@$(PY) -P tests/appliance/run.py

test-vm: setup-test  ## a street with simulated radios, units, sun, Vagrant and power cuts in a virtual node: QEMU, no KVM (minutes; root)
	@.ci/setup vm
	@PLAZA_VM=1 $(PY) -P -m pytest tests/appliance/test_vm_street.py tests/appliance/test_vm_units.py \
	  tests/appliance/test_vm_power_cuts.py

test-arm: setup-test  ## the cards of 64-bit ARM in a virtual machine, through U-Boot (many minutes; root)
	@.ci/setup vm arm
	@$(MAKE) --no-print-directory image BOARD=vm-arm64
	@$(MAKE) --no-print-directory image BOARD=pi
	@PLAZA_APPLIANCE_ARM=1 $(PY) -P -m pytest tests/appliance/test_appliance_arm.py

test-card-python: setup-test  ## the unit tests with the Python and the wheels of a card that was built (minutes; root)
	@$(PY) -P tests/card_python.py

test-ejido: setup-test  ## nine days without signal and on the sun, over the real programs (two minutes)
	@PLAZA_EJIDO=1 $(PY) -P -m pytest tests/flows/test_demo_ejido.py

worlds: setup-test  ## the seeded worlds at full length: 10,000 payments of each kind, 10,000 power cuts, 1,000 fault seeds
	@PLAZA_PAYMENTS=10000 PLAZA_POWER_CUTS=10000 PLAZA_FAULT_SEEDS=1000 PLAZA_PROXY_SEEDS=1000 PLAZA_UPDATE_CUTS=5000 \
	  PLAZA_FLEET_EXAMPLES=1000 PLAZA_SITE_CUTS=2000 $(PY) -P -m pytest --timeout 1800 tests/world \
	  tests/unit/test_plaza_site_apply.py

check: setup-test  ## ruff, mypy strict
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

bench: setup-bench  ## the figures, each beside its peer and its goal
	@$(PY) -P tests/bench/run.py

bench-dns: setup-bench  ## the name filter at 1 and 5 million names beside every peer installed (half an hour)
	@PLAZA_DNS_NAMES=$${PLAZA_DNS_NAMES:-1000000,5000000} PLAZA_DNS_PEERS=$${PLAZA_DNS_PEERS:-all} \
	  PLAZA_DNS_SECONDS=$${PLAZA_DNS_SECONDS:-3} PLAZA_DNS_RUNS=$${PLAZA_DNS_RUNS:-3} PLAZA_BENCH_TIMEOUT_S=7200 \
	  $(PY) -P tests/bench/run.py dns

fuzz: setup-test  ## every parser that a network reaches, by coverage (atheris): FUZZ_SECONDS=60 each
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/fuzz.txt
	@mkdir -p out/fuzz
	@for target in tests/fuzz/fuzz_*.py; do echo "$$target"; \
	  $(PY) -P $$target -max_total_time=$${FUZZ_SECONDS:-60} -max_len=1024 -timeout=10 \
	  -artifact_prefix=out/fuzz/ -verbosity=0 || exit 1; done

screens: setup  ## every kiosk screen, in each state and language, as PNG files in out/screens
	@$(PY) -P -m kiosk.gallery --out out/screens

strings: setup-test  ## renew what is made from the code: gettext catalogues, page of commands
	@$(PY) -P tests/strings.py --write
	@$(PY) -P tests/commands_page.py --write

lock: setup-test  ## renew the hash-pinned lock files, without addresses
	@.venv/bin/pip-compile -q --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --generate-hashes --strip-extras --allow-unsafe -o requirements/runtime.txt pyproject.toml
	@.venv/bin/pip-compile -q --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --generate-hashes --strip-extras --allow-unsafe -o requirements/build.txt requirements/build.in
	@.venv/bin/pip-compile -q --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --generate-hashes --strip-extras --allow-unsafe --extra dev --extra bench -c requirements/runtime.txt -o requirements/dev.txt pyproject.toml

wheel: setup-test  ## the wheel that the image installs
	@$(PY) -m build --wheel --no-isolation --outdir out/wheel . 2>/dev/null || $(PY) -m pip wheel -q --no-deps --no-build-isolation -w out/wheel .

IMAGE = $(PY) images/build/make.py --board $(BOARD) $(if $(VERSION),--version $(VERSION)) $(if $(QUICK),--quick)
setup-image: setup
	@.ci/setup run image
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/image.txt
	@test -n "$(BOARD)" || { echo "say which board:  make image BOARD=pi|vm-amd64|vm-arm64"; exit 2; }

image: setup-image  ## the card of a board: make image BOARD=pi|vm-amd64|vm-arm64 [VERSION=..] [XZ=1] (root)
	@$(IMAGE) $(if $(XZ),--xz) image

check-image: setup-image  ## look into a board's image without starting it: make check-image BOARD=..
	@$(PY) images/build/check.py --board $(BOARD)

bench-image:  ## sizes, build times and virtual machine figures of the images that were built, beside others'
	@$(PY) images/build/figures.py

cve: setup-image  ## judge the SBOM of a board by downloaded lists: make cve BOARD=.. TRACKER=debian.json [OSV=folder]
	@$(PY) images/build/cve.py build/image/$(BOARD)/sbom.cdx.json --debian "$(TRACKER)" \
	  $(if $(OSV),--osv $(OSV)) $(if $(ACCEPTED),--accepted $(ACCEPTED))

bundle: setup-image  ## the signed update of a board: make bundle BOARD=.. [VERSION=..] (root)
	@$(IMAGE) bundle

clean:  ## remove everything that was made here
	rm -rf .venv build out var *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
