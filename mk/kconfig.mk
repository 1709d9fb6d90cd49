# Configuration: Kconfig's answers become $(BUILD)/include/config.hpp.
PYTHON := /usr/bin/python3

$(BUILD)/include/config.hpp: Kconfig tools/dev/kconfig.py $(wildcard .config)
	$(Q)$(PYTHON) tools/dev/kconfig.py header $@
	$(Q)touch $@

.PHONY: menuconfig defconfig
menuconfig: ##  change the configuration
	$(Q)/usr/bin/menuconfig Kconfig || $(PYTHON) -m menuconfig Kconfig
defconfig: ##  write .config with the defaults
	$(Q)$(PYTHON) tools/dev/kconfig.py defconfig .config
