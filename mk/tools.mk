# The dom0 programs: tenon (command line) and tenond (daemon), their manual pages, and their unit tests, which run
# on the build machine under AddressSanitizer and UndefinedBehaviorSanitizer.
TOOLS_CXX      ?= g++
TOOLS_FLAGS    := -std=c++20 -Wall -Wextra -Werror -I. -Iinclude -MMD -MP
TOOLS_CXXFLAGS := $(TOOLS_FLAGS) -O2 -g1
TOOLS_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
TOOLS_TEST_CXXFLAGS := $(TOOLS_FLAGS) -O1 -g1 $(TOOLS_SANITIZE)
# Everything that has a static library is linked statically: dom0's image is small.
TOOLS_LIBS := -static-libstdc++ -static-libgcc -Wl,-Bstatic -lxencall -lxenforeignmemory -lxenevtchn -lxengnttab \
  -lxentoolcore -lxentoollog -lzstd -llzma -llz4 -lz -Wl,-Bdynamic -lfmt -lsystemd
ALL_EXTRA        += tools man

TOOLS_LIB_SRC    := $(wildcard tools/lib/*.cpp)
TOOLS_DAEMON_SRC := $(wildcard tools/daemon/*.cpp tools/daemon/*/*.cpp)
TOOLS_CLI_SRC    := $(wildcard tools/cli/*.cpp)
TOOLS_TEST_SRC   := $(wildcard tests/unit/tools/daemon/*.cpp tests/unit/tools/daemon/*/*.cpp)
# What the tests link: the parts that need no hypervisor below them.
TOOLS_PURE_SRC   := $(filter-out %/own_kernel.cpp %/server.cpp %/socket_client.cpp,$(wildcard tools/daemon/xenstore/*.cpp)) \
  tools/daemon/loop.cpp tools/daemon/console/ring.cpp tools/daemon/device/split_device.cpp \
  $(patsubst %,tools/daemon/domain/%.cpp,boot_layout config config_text decompress device_specs kernel_image page_tables)

TOOLS_LIB_OBJ    := $(TOOLS_LIB_SRC:%.cpp=$(BUILD)/tools/obj/%.o)
TOOLS_DAEMON_OBJ := $(TOOLS_DAEMON_SRC:%.cpp=$(BUILD)/tools/obj/%.o)
TOOLS_CLI_OBJ    := $(TOOLS_CLI_SRC:%.cpp=$(BUILD)/tools/obj/%.o)
TOOLS_TEST_OBJ   := $(patsubst %.cpp,$(BUILD)/tools/test/%.o,$(TOOLS_TEST_SRC) $(TOOLS_PURE_SRC))
TOOLS_TEST       := $(BUILD)/unit/tools_test
TOOLS_MAN        := $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(wildcard docs/man/*.scd))

.PHONY: tools man
tools: $(BUILD)/tools/tenon $(BUILD)/tools/tenond ##  the dom0 programs: tenon and tenond
man: $(TOOLS_MAN) ##  the manual pages

$(BUILD)/tools/obj/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	$(Q)$(TOOLS_CXX) $(TOOLS_CXXFLAGS) -c $< -o $@

$(BUILD)/tools/test/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  CXX   $< (sanitized)"
	$(Q)$(TOOLS_CXX) $(TOOLS_TEST_CXXFLAGS) -c $< -o $@

$(BUILD)/tools/tenond: $(TOOLS_DAEMON_OBJ) $(TOOLS_LIB_OBJ)
	@echo "  LINK  $@"
	$(Q)$(TOOLS_CXX) $^ $(TOOLS_LIBS) -o $@

$(BUILD)/tools/tenon: $(TOOLS_CLI_OBJ) $(TOOLS_LIB_OBJ)
	@echo "  LINK  $@"
	$(Q)$(TOOLS_CXX) $^ $(TOOLS_LIBS) -o $@

$(TOOLS_TEST): $(TOOLS_TEST_OBJ)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(TOOLS_CXX) $(TOOLS_SANITIZE) $^ -lgtest -lgtest_main -lfmt -lzstd -llzma -llz4 -lz -o $@

$(BUILD)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	$(Q)scdoc < $< > $@

-include $(TOOLS_LIB_OBJ:.o=.d) $(TOOLS_DAEMON_OBJ:.o=.d) $(TOOLS_CLI_OBJ:.o=.d) $(TOOLS_TEST_OBJ:.o=.d)
