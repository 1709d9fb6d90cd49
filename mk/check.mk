# `make check`: every ring of tests, the fastest first, with a summary (tools/dev/check_rings.py).
CHECK_RINGS := check-build check-style check-sizes check-abi-docs check-unit check-tools check-clang check-guests check-bochs check-system

.PHONY: check check-build check-clang check-sizes check-tools
check: ##  all tests, with a summary
	$(Q)$(PYTHON) -u tools/dev/check_rings.py $(CHECK_RINGS)
check-build: ##  build everything that the tests need, on all CPUs, and the hypervisor with clang, too
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) hypervisor tools guests unit $(TOOLS_TEST) fetch
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) $(CLANG_BUILD) hypervisor
check-sizes: $(BUILD)/tenon ##  source files, code and image stay small
	$(Q)$(PYTHON) tools/dev/check_sizes.py $(BUILD)/tenon
check-tools: $(TOOLS_TEST) ##  run the unit tests of dom0's programs
	$(Q)timeout 600 $(TOOLS_TEST) --gtest_brief=1
check-clang: guests ##  boot some micro-guests on what clang made
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) $(CLANG_BUILD) hypervisor
	$(Q)$(GUEST_DIR)/run.py --hypervisor $(BUILD)/clang/tenon hello traps usermode mmu_update events grants
