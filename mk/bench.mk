# What Tenon costs, beside real Xen 4.17 and no hypervisor at all: docs/performance.md.
#   make bench-guests                            counts of single operations only, in seconds
#   make bench BENCH="--only linux --quick"      more options: tests/bench/bench.py --help
OPCOUNT := $(BUILD)/bench/opcount.so
UBENCH := $(BUILD)/bench/ubench
BENCH ?=

.PHONY: bench bench-guests profile
bench: guests $(BUILD)/tenon $(GUEST_XEN) $(OPCOUNT) $(UBENCH) tools fetch ##  measure native Linux, Tenon and Xen; writes docs/performance.md
	$(Q)tools/qemu/install bench
	$(Q)tools/qemu/fetch cloud-6.12
	$(Q)/usr/bin/python3 -B tests/bench/bench.py $(BENCH)

bench-guests: guests $(BUILD)/tenon $(GUEST_XEN) $(OPCOUNT) ##  hypervisor instructions per operation, Tenon and Xen side by side
	$(Q)$(GUEST_DIR)/run.py --bench --hypervisor tenon --hypervisor xen $(GUESTS)

profile: $(BUILD)/tenon $(BUILD)/bench/hot.so $(UBENCH) fetch ##  Tenon's functions by instructions, for each operation of a Linux program
	$(Q)/usr/bin/python3 -B tests/bench/hot.py $(BENCH)

$(BUILD)/bench/%.so: tests/bench/%.c tests/bench/plugin.h
	@mkdir -p $(@D)
	$(Q)gcc -O2 -Wall -Wextra -Werror -fPIC -shared -o $@ $<

$(UBENCH): tests/bench/ubench.cpp
	@mkdir -p $(@D)
	$(Q)g++ -std=c++20 -O2 -Wall -Wextra -Werror -fno-exceptions -fno-rtti -static -s -o $@ $<
