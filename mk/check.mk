# `make check`: every ring of tests, fastest first; stops at the first ring that fails.
CHECK_RINGS := check-build check-sizes check-abi-docs check-unit check-tools check-guests check-system

.PHONY: check check-build check-sizes check-tools
check-build: ##  build everything that the tests need, on all CPUs
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) hypervisor build/tools/tenon build/tools/tenond guests unit build/unit/tools_test
check-sizes: $(BUILD)/tenon ##  source files, code and image stay small
	$(Q)$(PYTHON) tools/dev/check_sizes.py $(BUILD)/tenon
check-tools: build/unit/tools_test ##  run the unit tests of dom0's programs
	$(Q)timeout 600 build/unit/tools_test --gtest_brief=1
check: ##  all tests, with a summary
	$(Q)start=$$(date +%s); for ring in $(CHECK_RINGS); do echo "== $$ring"; began=$$(date +%s); \
	  if $(MAKE) --no-print-directory $$ring; then echo "== $$ring: passed in $$(( $$(date +%s) - began )) s"; \
	  else echo "== $$ring: FAILED"; echo "check: stopped at $$ring"; exit 1; fi; done; \
	echo "check: all rings passed in $$(( $$(date +%s) - start )) s"
