# The single door. Two commands matter on a fresh Debian 12+ machine, as root:
#   make run     set up, build, start the daemon, run a container on the bundled image
#   make test    set up, build, run every test
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# For what runs longer than CI's patience with one test.
LONG := -Djrt.it.seconds=90000 -Djrt.it.test.seconds=86400
MVN  := MVN_FLAGS="$(MVN_FLAGS)" dist/dev/mvn
# Before and after: what tests that were killed have left on the machine is taken away.
SWEPT := trap dist/dev/sweep EXIT; dist/dev/sweep;
TREE := dist/target/jrt

.PHONY: help setup setup-test build run test unit fuzz bench format check dist try-deb test-unit reproducible reference critest test-v2 test-lsm soak fault sweep clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: ## install what building and running need (Debian packages)
	@dist/dev/setup build

setup-test: ## install what the tests need on top
	@dist/dev/setup build test

build: setup ## leave a runnable tree at dist/target/jrt
	$(MVN) -T2 -DskipTests package

run: build ## start a daemon in a temporary root and run a container on the bundled image
	@dist/dev/run $(TREE)

unit: setup ## fast tests, no root
	$(MVN) -T2 test

test: setup-test ## every test, as root, on real parts
	$(SWEPT) $(MVN) -DskipITs=false verify

fuzz: setup-test ## each parser of others' bytes by Jazzer (SECONDS_EACH=600, TARGETS="NAME…")
	$(MVN) -T2 -DskipTests -pl integration-tests -am package
	@SECONDS_EACH=$(or $(SECONDS_EACH),600) dist/dev/fuzz $(TARGETS)

test-v2: build ## the tests of cgroups, launch and lifecycle in a guest with cgroup v2 alone (TESTS="CLASS…")
	@dist/dev/setup test v2
	@dist/dev/test-v2 $(TESTS)

test-lsm: build ## containers under AppArmor and under SELinux, enforced by the kernel of that guest
	@dist/dev/setup test v2
	@SECURITY=apparmor dist/dev/test-v2
	@SECURITY=selinux dist/dev/test-v2

fault: setup-test ## kill, fail and hang the daemon at every step, cut its power, fill its disks, load it; two hours
	$(SWEPT) $(MVN) -DskipITs=false $(LONG) -Djrt.fault=full \
	  -Dit.test='CrashWalkIT,PullCrashIT,PowerCutIT,FaultWalkIT,FaultsIT,DiskFaultsIT,RestartIT,LoadIT,DamagedRecordsIT,CheckIT,SoakIT' \
	  -Dtest='*SimulationTest' -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false verify

soak: setup-test ## random pods, kills and execs for MINUTES (10) or HOURS, SEED=… repeats one
	$(SWEPT) $(MVN) -DskipITs=false $(LONG) -Djrt.soak.minutes=$(if $(HOURS),$(shell expr $(HOURS) \* 60),$(or $(MINUTES),10)) \
	  $(if $(SEED),-Djrt.seed=$(SEED)) -Dit.test=SoakIT -Dtest=None \
	  -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false verify

bench: build ## one table of what the hot paths cost (PEER=unix:///… adds a column)
	@dist/dev/bench $(TREE)

critest: build ## run a critest binary against jrtd (CRITEST=/path/to/critest FOCUS=… NETWORK=cni)
	@dist/dev/critest $(TREE)

dist: setup ## tarball and .deb at dist/target/packages
	$(MVN) -T2 -DskipTests -Pdist -pl dist -am verify

try-deb: dist ## install the .deb into a fresh root and run daemon and client from there
	@dist/dev/try-deb dist/target/packages/*.deb

reproducible: setup ## build the packages twice and compare them
	@dist/dev/reproducible

test-unit: build ## the units of the package, below a real systemd in a guest; and the systemd cgroup driver
	@dist/dev/setup test v2
	@SYSTEMD=1 dist/dev/test-v2
	@SYSTEMD=1 dist/dev/test-v2 -- $(CURDIR)/dist/dev/guest/unit $(CURDIR)/$(TREE)

reference: build ## write docs/reference anew
	@dist/dev/reference $(TREE)

sweep: ## take away what tests that were killed have left on this machine
	@dist/dev/sweep

format: setup ## put the sources into google-java-format
	$(MVN) -N -q validate -Djrt.format.args=fix

clean: ## remove what the build made
	$(MVN) -q clean
