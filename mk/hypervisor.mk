# The hypervisor image: $(BUILD)/tenon (stripped, loaded by Multiboot2) and $(BUILD)/tenon.syms (with symbols).
HV_SOURCES := $(shell find arch common drivers -name '*.cpp' -o -name '*.S' | grep -v asm_offsets | sort)
HV_OBJECTS := $(patsubst %,$(BUILD)/obj/%.o,$(HV_SOURCES))
HV_LIBS := -l:liblzma.a -l:libzstd.a -l:liblz4.a -l:libz.a
OFFSETS := $(BUILD)/include/asm_offsets.h

# The date that XENVER_compile_info tells is the last commit's, so that the same sources make the same image.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(shell date -r Makefile +%s))
HV_DATE = -D__DATE__='"$(shell LC_ALL=C date -u -d @$(SOURCE_DATE_EPOCH) +'%b %e %Y')"' -D__TIME__='"$(shell date -u -d @$(SOURCE_DATE_EPOCH) +%T)"'
$(BUILD)/obj/common/hypercall/xen_version.cpp.o: HV_FLAGS += -Wno-builtin-macro-redefined $(HV_DATE)

.PHONY: hypervisor
hypervisor: $(BUILD)/tenon ##  the Multiboot2 image and its symbols

$(OFFSETS): arch/x86/asm_offsets.cpp $(BUILD)/include/config.hpp
	@mkdir -p $(@D) $(BUILD)/obj
	$(Q)$(HV_CXX) $(HV_FLAGS) -fno-lto -MMD -MP -MT $@ -MF $(BUILD)/obj/asm_offsets.d -S -o - $< \
	  | sed -nE 's/^.*==([A-Za-z_0-9]+) \$$?(-?[0-9]+)==.*$$/#define \1 \2/p' > $@.new && mv $@.new $@

$(BUILD)/obj/%.cpp.o: %.cpp $(BUILD)/include/config.hpp mk/toolchain.mk
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(Q)$(HV_CXX) $(HV_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/%.S.o: %.S $(OFFSETS)
	@mkdir -p $(@D)
	@echo "  AS    $<"
	$(Q)$(HV_CXX) -g -D__ASSEMBLY__ -Iarch/x86/include -I$(BUILD)/include -MMD -MP -c $< -o $@

comma := ,
HV_LINK_FLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --gc-sections --build-id=sha1 -T arch/x86/link.lds $(HV_LD_EXTRA)
HV_LINKED := $(HV_OBJECTS) -L/usr/lib/x86_64-linux-gnu $(HV_LIBS)
ifeq ($(TOOLCHAIN),clang)
HV_LINK = $(LD) $(HV_LINK_FLAGS) $(HV_LINKED)
else
# GCC optimises across files here: the paths lead through many small functions.
HV_LINK = $(HV_CXX) $(HV_FLAGS) -flinker-output=pie -nostdlib -no-pie $(foreach f,$(HV_LINK_FLAGS),-Wl$(comma)$f) $(HV_LINKED)
endif
SYMBOL_ROOM := 65536

# The names of functions are filled in where the linker left room for them.
$(BUILD)/tenon.syms: $(HV_OBJECTS) arch/x86/link.lds tools/dev/symbol_table.py mk/hypervisor.mk
	@echo "  LD    $@"
	$(Q)$(HV_LINK) -o $@.0
	$(Q)$(PYTHON) tools/dev/symbol_table.py $@.0 $(SYMBOL_ROOM) $(BUILD)/obj/symbol_table
	$(Q)$(OBJCOPY) --update-section .symbol_table=$(BUILD)/obj/symbol_table $@.0 $@
	$(Q)rm -f $@.0

$(BUILD)/tenon: $(BUILD)/tenon.syms
	$(Q)$(OBJCOPY) --strip-all $< $@
	@ls -l $@ | awk '{printf "  image %s: %d bytes\n", $$NF, $$5}'

-include $(HV_OBJECTS:.o=.d) $(BUILD)/obj/asm_offsets.d
