# Host unit tests: every tests/unit/**/*_test.cpp becomes one program, linked with the common sources (and the parts of
# arch/ that need no CPU) over the fake machine in tests/fake, under AddressSanitizer and UndefinedBehaviorSanitizer.
# tests/unit/tools belongs to mk/tools.mk.
UNIT := $(BUILD)/unit
UNIT_CXX ?= g++
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined
UNIT_FLAGS := -std=c++20 -O1 -g1 -fno-omit-frame-pointer -fno-strict-aliasing -Wall -Wextra -Werror -Wno-maybe-uninitialized -D_GLIBCXX_ASSERTIONS $(UNIT_SAN) \
  -Itests/fake/include -Iinclude -idirafter arch/x86/include
UNIT_LIBS := -lgtest -lgtest_main -lpthread

# memory_ops and assert_hook replace parts of the C and C++ runtime: their tests include them under other names.
UNIT_COMMON := $(filter-out common/lib/memory_ops.cpp common/lib/assert_hook.cpp common/init.cpp,$(shell find common -name '*.cpp' 2>/dev/null))
# Sources under arch/ and drivers/ that are plain computation.
UNIT_ARCH += $(addprefix arch/x86/boot/,multiboot2.cpp kernel_image.cpp elf_image.cpp) arch/x86/pv/dom0/layout.cpp arch/x86/mm/own_map.cpp arch/x86/mm/tlb_tags.cpp
UNIT_FAKE := $(wildcard tests/fake/*.cpp)
UNIT_TESTS := $(shell find tests/unit -name '*_test.cpp' -not -path 'tests/unit/tools/*' | sort)
UNIT_PROGRAMS := $(UNIT_TESTS:tests/unit/%.cpp=$(UNIT)/%)

UNIT_OBJ = $(patsubst %.cpp,$(UNIT)/obj/%.o,$(1))
UNIT_ALL_OBJECTS := $(call UNIT_OBJ,$(UNIT_COMMON) $(UNIT_ARCH) $(UNIT_FAKE) tests/fake/heap/heap.cpp $(UNIT_TESTS))

.PHONY: unit check-unit
unit: $(UNIT_PROGRAMS) ##  build the host unit tests
check-unit: unit ##  run the host unit tests under ASan and UBSan
	$(Q)failed=; for t in $(UNIT_PROGRAMS); do \
	  if timeout 300 $$t --gtest_brief=1 >$$t.log 2>&1; then echo "  ok    $${t#$(UNIT)/}  $$(tail -1 $$t.log)"; \
	  else echo "  FAIL  $${t#$(UNIT)/}"; cat $$t.log; failed="$$failed $${t#$(UNIT)/}"; fi; done; \
	if [ -n "$$failed" ]; then echo "unit tests failed:$$failed"; exit 1; else echo "all unit tests passed"; fi

$(UNIT)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  TEST  $<"
	$(Q)$(UNIT_CXX) $(UNIT_FLAGS) -I. -Itests -MMD -MP -c $< -o $@

$(UNIT)/libcommon.a: $(call UNIT_OBJ,$(UNIT_COMMON) $(UNIT_ARCH))
	$(Q)rm -f $@ && ar rcs $@ $^
$(UNIT)/libfake.a: $(call UNIT_OBJ,$(UNIT_FAKE))
	$(Q)rm -f $@ && ar rcs $@ $^
# The heap's own test links the real heap; all others the host's allocator, where the sanitizers see each object.
UNIT_HEAP := $(call UNIT_OBJ,tests/fake/heap/heap.cpp)
$(UNIT_PROGRAMS): $(UNIT)/%_test: $(UNIT)/obj/tests/unit/%_test.o $(UNIT)/libcommon.a $(UNIT)/libfake.a
	@mkdir -p $(@D)
	$(Q)$(UNIT_CXX) $(UNIT_SAN) -o $@ $(filter %.o,$^) -Wl,--start-group $(UNIT)/libcommon.a $(UNIT)/libfake.a -Wl,--end-group \
	  $(UNIT_EXTRA_LIBS) $(UNIT_LIBS)
$(filter-out $(UNIT)/common/mm/heap_test $(UNIT)/abi/%,$(UNIT_PROGRAMS)): $(UNIT_HEAP)

# The ABI layout test is one program of several sources, none of them ours to link with; one of its functions is as long as the
# ABI, too long for a compiler that optimises or tracks variables.
$(UNIT)/obj/tests/unit/abi/layout_%.o: UNIT_FLAGS += -O0 -g0
UNIT_LAYOUT := $(call UNIT_OBJ,$(filter-out %_test.cpp,$(wildcard tests/unit/abi/*.cpp)))
$(UNIT)/abi/layout_test: $(UNIT_LAYOUT)
$(UNIT)/arch/x86/boot/%_test: UNIT_EXTRA_LIBS := -llzma -lzstd -llz4 -lz

# What the fake machine answers for frame types, weakly: these tests want the real thing.
UNIT_TYPES := $(call UNIT_OBJ,$(addprefix arch/x86/pv/,types.cpp pin.cpp update.cpp))
UNIT_ALL_OBJECTS += $(UNIT_TYPES)
$(addprefix $(UNIT)/arch/x86/pv/,types_test page_tables_test): $(UNIT_TYPES)

-include $(patsubst %.o,%.d,$(UNIT_ALL_OBJECTS) $(UNIT_LAYOUT))
