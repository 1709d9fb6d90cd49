# Tenon: the whole build. `make help` lists the targets. Each part's rules live in mk/.
BUILD ?= build
TOOLCHAIN ?= gcc
.DEFAULT_GOAL := all
Q := $(if $(V),,@)
# The scripts in Python look there, too.
export TENON_BUILD := $(abspath $(BUILD))

include mk/toolchain.mk
include mk/kconfig.mk
include mk/hypervisor.mk
-include $(filter-out mk/toolchain.mk mk/kconfig.mk mk/hypervisor.mk,$(sort $(wildcard mk/*.mk)))

.PHONY: all clean help
all: hypervisor $(ALL_EXTRA) ##  build everything
clean: ##  remove what was built, keep downloaded packages
	$(Q)find $(BUILD) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} + 2>/dev/null || true
help: ##  this list
	$(Q)$(PYTHON) tools/dev/help.py Makefile $(sort $(wildcard mk/*.mk))
