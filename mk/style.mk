# The look of the sources: clang-format for all C++, clang-tidy for the hypervisor.
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
FORMAT_SOURCES = $(shell find arch common drivers include tests tools -name '*.cpp' -o -name '*.hpp' -o -name '*.h')
# The second compiler's build, as light as it can be: what counts is that it compiles, links and boots.
CLANG_BUILD := TOOLCHAIN=clang BUILD=$(BUILD)/clang HV_OPTIMIZE=-O1
TIDY_STAMPS := $(patsubst %.cpp,$(BUILD)/tidy/%.ok,$(filter %.cpp,$(HV_SOURCES)))

.PHONY: format check-style check-format check-tidy tidy-stamps
format: ##  lay out all C++ sources by .clang-format
	$(Q)$(CLANG_FORMAT) -i $(FORMAT_SOURCES)
check-style: check-format check-tidy ##  clang-format and clang-tidy find nothing
check-format:
	@echo "  FORMAT $(words $(FORMAT_SOURCES)) files"
	$(Q)$(CLANG_FORMAT) --dry-run $(FORMAT_SOURCES) 2>&1 | sed -nE 's/^([^ :]+):[0-9]+:.*/  \1/p' | sort | uniq -c | \
	  awk '{ print } END { if (NR) { print NR " files are laid out otherwise; run: make format"; exit 1 } }'
check-tidy:
	$(Q)$(MAKE) --no-print-directory -k -j$$(nproc) $(CLANG_BUILD) tidy-stamps
# A source is looked at again when it, or a header that it includes, has changed: when its object file has.
tidy-stamps: $(TIDY_STAMPS)
$(BUILD)/tidy/%.ok: $(BUILD)/obj/%.cpp.o .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY  $*.cpp"
	$(Q)$(CLANG_TIDY) --quiet $*.cpp -- $(filter-out $(HV_REGS),$(HV_FLAGS)) 2>$@.log || { grep -v 'warnings generated' $@.log; exit 1; }
	$(Q)rm $@.log && touch $@
