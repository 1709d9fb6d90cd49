# Bootable machines and the system tests.
#   make run RUN="--smp 4 --machine pc"          more options: tools/qemu/run --help
#   make check-system SYSTEM_TESTS="test_dom0.py -k nvme" HYPERVISOR=xen
HYPERVISOR ?= tenon
RUN ?=
SYSTEM_TESTS ?=
# So many machines at a time.
SYSTEM_JOBS ?= 0
PYTEST := $(PYTHON) -B -m pytest -p no:cacheprovider

# The hypervisor under test is built first, unless it is somebody else's.
machine_parts := tools $(if $(filter tenon,$(HYPERVISOR)),$(BUILD)/tenon)

.PHONY: fetch fetch-run parts run shell check-system check-system-xen
fetch: ##  download all that the tests need: Debian's kernels, tools, and Xen to compare with
	$(Q)tools/qemu/fetch

# What a first machine needs: less than half of it.
fetch-run:
	$(Q)tools/qemu/fetch 6.1 cloud sysroot

parts: $(machine_parts) fetch-run

run: $(machine_parts) ##  boot in QEMU with a demonstration guest; RUN="options of tools/qemu/run"
	$(Q)tools/qemu/run --hypervisor $(HYPERVISOR) --options "dom0_mem=512M" --nic virtio --dom0-options "tenon.demo" $(RUN)

shell: $(machine_parts) ##  boot in QEMU to dom0's shell, without a guest
	$(Q)tools/qemu/run --hypervisor $(HYPERVISOR) --nic virtio $(RUN)

check-system: $(machine_parts) fetch ##  boot stock Debian in QEMU and test it; SYSTEM_TESTS="files or options of pytest"
	$(Q)cd tests/system && $(PYTEST) -n $(SYSTEM_JOBS) --dist loadgroup --hypervisor $(HYPERVISOR) -v \
	  --durations=0 --durations-min=5 --tb=short \
	  $(SYSTEM_TESTS)

check-system-xen: ##  the same tests on Debian's Xen 4.17, to compare
	$(Q)$(MAKE) check-system HYPERVISOR=xen
