# Micro-guests: tests/guest/*.cpp, each a tiny PV kernel, plus the library they share. The same binaries boot on real Xen.
#   make check-guests GUESTS="traps iret"        more options: tests/guest/run.py --help
GUEST_DIR := tests/guest
GUEST_OUT := $(BUILD)/guests
GUEST_NAMES := $(patsubst $(GUEST_DIR)/%.cpp,%,$(wildcard $(GUEST_DIR)/*.cpp))
GUEST_CXX ?= g++
GUEST_FLAGS := -std=c++20 -O2 -g -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-pic -fno-stack-protector \
  -fno-asynchronous-unwind-tables -fno-strict-aliasing -fcf-protection=none -mgeneral-regs-only -mno-red-zone -mcmodel=kernel \
  -Wall -Wextra -Werror -Iinclude -I$(GUEST_DIR) -MMD -MP
GUEST_LIBRARY := $(patsubst $(GUEST_DIR)/lib/%,$(GUEST_OUT)/lib/%.o,$(filter-out %/name.cpp,$(wildcard $(GUEST_DIR)/lib/*.cpp $(GUEST_DIR)/lib/*.S)))
# Twins of some guests in the lower half of addresses, where other kernels than Linux are at home.
GUEST_LOW := $(addprefix $(GUEST_OUT)/,$(addsuffix .low.elf,hello traps iret events vcpu mmu_update ptwr pin descriptors))
GUEST_ELVES := $(GUEST_NAMES:%=$(GUEST_OUT)/%.elf) $(GUEST_LOW)
GUEST_XEN := $(or $(TENON_CACHE),$(BUILD)/cache)/xen
HYPERVISOR ?= tenon
GUESTS ?=

# Some of everything that x2APIC, TSC deadlines and a stricter TLB can break, and what QEMU does otherwise than a CPU: IRET to an
# address that is not canonical, breakpoints behind MOV SS.
BOCHS_GUESTS ?= hello traps timers events vcpu mmu_update ptwr usermode pin va_mapping iret movss debug_registers

.PHONY: guests check-guests check-guests-xen check-bochs fuzz
guests: $(GUEST_ELVES) ##  build the micro-guests

check-guests: guests $(if $(filter tenon,$(HYPERVISOR)),$(BUILD)/tenon) ##  boot every micro-guest on Tenon; GUESTS="names or options of run.py"
	$(Q)$(GUEST_DIR)/run.py --hypervisor $(HYPERVISOR) $(GUESTS)

# A pair of seeds takes about a second; check-guests has the first few.
SEEDS ?= 1-1000
FUZZ_SMP ?= 2
fuzz: guests $(BUILD)/tenon ##  guests that throw random calls and instructions at Tenon; SEEDS="1-1000" FUZZ_SMP=2
	$(Q)$(GUEST_DIR)/run.py fuzz --arguments "seeds=$(SEEDS) talk=1" --smp $(FUZZ_SMP) --limit 86400

check-bochs: guests $(BUILD)/tenon ##  some of them in Bochs, whose CPU has x2APIC and TSC deadlines
	$(Q)$(PYTHON) -B $(GUEST_DIR)/bochs.py $(BOCHS_GUESTS)

check-guests-xen: guests $(GUEST_XEN) ##  the same micro-guests on Debian's Xen 4.17, to compare
	$(Q)$(GUEST_DIR)/run.py --hypervisor xen $(GUESTS)

$(GUEST_OUT)/lib/%.cpp.o: $(GUEST_DIR)/lib/%.cpp
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(GUEST_CXX) $(GUEST_FLAGS) -c -o $@ $<

$(GUEST_OUT)/lib/%.S.o: $(GUEST_DIR)/lib/%.S
	@mkdir -p $(@D)
	$(Q)$(GUEST_CXX) -MMD -MP -c -o $@ $<

# legacy is entered the old way: with a hypercall page, and the p2m list beside the kernel.
$(GUEST_OUT)/legacy.start.o: $(GUEST_DIR)/lib/start.S
	@mkdir -p $(@D)
	$(Q)$(GUEST_CXX) -DGUEST_LEGACY_NOTES -c -o $@ $<

$(GUEST_OUT)/%.name.o: $(GUEST_DIR)/lib/name.cpp
	@mkdir -p $(@D)
	$(Q)$(GUEST_CXX) $(GUEST_FLAGS) -DGUEST_NAME='"$*"' -c -o $@ $<

$(GUEST_OUT)/%.o: $(GUEST_DIR)/%.cpp
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(GUEST_CXX) $(GUEST_FLAGS) -c -o $@ $<

$(GUEST_LOW): $(GUEST_OUT)/%.low.elf: $(GUEST_OUT)/%.o $(GUEST_OUT)/%.name.o $(GUEST_LIBRARY) $(GUEST_DIR)/lib/guest.ld
	$(Q)$(LD) -static -nostdlib -z max-page-size=4096 --build-id=none --no-warn-rwx-segments --defsym=GUEST_BASE=0 -T $(GUEST_DIR)/lib/guest.ld \
	  -o $@ $(filter %.o,$^)
$(filter-out $(GUEST_LOW),$(GUEST_ELVES)): $(GUEST_OUT)/%.elf: $(GUEST_OUT)/%.o $(GUEST_OUT)/%.name.o $(GUEST_LIBRARY) $(GUEST_DIR)/lib/guest.ld
	$(Q)$(LD) -static -nostdlib -z max-page-size=4096 --build-id=none --no-warn-rwx-segments -T $(GUEST_DIR)/lib/guest.ld -o $@ \
	  $(filter %.o,$(if $(filter legacy,$*),$(filter-out %/start.S.o,$^),$^))
$(GUEST_OUT)/legacy.elf: $(GUEST_OUT)/legacy.start.o

$(GUEST_XEN):
	$(Q)tools/qemu/fetch xen

-include $(wildcard $(GUEST_OUT)/*.d $(GUEST_OUT)/lib/*.d)
