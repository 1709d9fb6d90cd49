# The hypervisor image: $(BUILD)/tenon (stripped, loaded by Multiboot2) and $(BUILD)/tenon.syms (with symbols).
HV_SOURCES := $(shell find arch common drivers -name '*.cpp' -o -name '*.S' | grep -v asm_offsets | sort)
HV_OBJECTS := $(patsubst %,$(BUILD)/obj/%.o,$(HV_SOURCES))
HV_LIBS := -l:liblzma.a -l:libzstd.a -l:liblz4.a -l:libz.a
OFFSETS := $(BUILD)/include/asm_offsets.h

.PHONY: hypervisor
hypervisor: $(BUILD)/tenon ##  the Multiboot2 image and its symbols

$(OFFSETS): arch/x86/asm_offsets.cpp $(BUILD)/include/config.hpp
	@mkdir -p $(@D) $(BUILD)/obj
	$(Q)$(HV_CXX) $(HV_FLAGS) -MMD -MP -MT $@ -MF $(BUILD)/obj/asm_offsets.d -S -o - $< \
	  | sed -nE 's/^.*==([A-Za-z_0-9]+) \$$?(-?[0-9]+)==.*$$/#define \1 \2/p' > $@.new && mv $@.new $@

$(BUILD)/obj/%.cpp.o: %.cpp $(BUILD)/include/config.hpp mk/toolchain.mk
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(Q)$(HV_CXX) $(HV_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/%.S.o: %.S $(OFFSETS)
	@mkdir -p $(@D)
	@echo "  AS    $<"
	$(Q)$(HV_CXX) -g -D__ASSEMBLY__ -Iarch/x86/include -I$(BUILD)/include -MMD -MP -c $< -o $@

HV_LINK = $(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --gc-sections --build-id=sha1 $(HV_LD_EXTRA) \
  -T arch/x86/link.lds $(HV_OBJECTS) -L/usr/lib/x86_64-linux-gnu $(HV_LIBS)

# Linked twice: the second time with the names of the functions that the first link placed.
$(BUILD)/tenon.syms: $(HV_OBJECTS) arch/x86/link.lds tools/dev/symbol_table.py mk/hypervisor.mk
	@echo "  LD    $@"
	$(Q)$(PYTHON) tools/dev/symbol_table.py /dev/null $(BUILD)/obj/symbols0.S
	$(Q)$(HV_CXX) -c $(BUILD)/obj/symbols0.S -o $(BUILD)/obj/symbols0.o
	$(Q)$(HV_LINK) $(BUILD)/obj/symbols0.o -o $@.0
	$(Q)$(PYTHON) tools/dev/symbol_table.py $@.0 $(BUILD)/obj/symbols.S
	$(Q)$(HV_CXX) -c $(BUILD)/obj/symbols.S -o $(BUILD)/obj/symbols.o
	$(Q)$(HV_LINK) $(BUILD)/obj/symbols.o -o $@
	$(Q)rm -f $@.0

$(BUILD)/tenon: $(BUILD)/tenon.syms
	$(Q)$(OBJCOPY) --strip-all $< $@
	@ls -l $@ | awk '{printf "  image %s: %d bytes\n", $$NF, $$5}'

-include $(HV_OBJECTS:.o=.d) $(BUILD)/obj/asm_offsets.d
