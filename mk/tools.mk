# The dom0 programs: tenon (command line) and tenond (daemon), and their unit tests. The tests run on the
# build machine, under AddressSanitizer and UndefinedBehaviorSanitizer.

TOOLS_CXX      ?= g++
TOOLS_FLAGS    := -std=c++20 -Wall -Wextra -Werror -I. -Iinclude -MMD -MP
TOOLS_CXXFLAGS := $(TOOLS_FLAGS) -O2 -g1
TEST_CXXFLAGS  := $(TOOLS_FLAGS) -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
# Everything that has a static library is linked statically: dom0's image is small.
TOOLS_XEN_LIBS := -lxencall -lxenforeignmemory -lxenevtchn -lxengnttab -lxentoolcore -lxentoollog
TOOLS_LIBS     := -static-libstdc++ -static-libgcc -Wl,-Bstatic $(TOOLS_XEN_LIBS) -lzstd -llzma -llz4 -lz \
                  -Wl,-Bdynamic -lfmt -lsystemd

TOOLS_LIB_SRC    := $(wildcard tools/lib/*.cpp)
TOOLS_DAEMON_SRC := $(wildcard tools/daemon/*.cpp tools/daemon/*/*.cpp)
TOOLS_CLI_SRC    := $(wildcard tools/cli/*.cpp)
TOOLS_TEST_SRC   := $(wildcard tests/unit/tools/*.cpp tests/unit/tools/*/*.cpp)
# What the tests link: the parts that need no hypervisor below them.
TOOLS_PURE_SRC   := $(filter-out %/own_kernel.cpp %/server.cpp %/socket_client.cpp,$(wildcard tools/daemon/xenstore/*.cpp)) \
                    tools/daemon/console/ring.cpp $(patsubst %,tools/daemon/domain/%.cpp,boot_layout config config_text \
                    decompress device_specs kernel_image page_tables)

TOOLS_LIB_OBJ    := $(TOOLS_LIB_SRC:%.cpp=build/tools/obj/%.o)
TOOLS_DAEMON_OBJ := $(TOOLS_DAEMON_SRC:%.cpp=build/tools/obj/%.o)
TOOLS_CLI_OBJ    := $(TOOLS_CLI_SRC:%.cpp=build/tools/obj/%.o)
TOOLS_TEST_OBJ   := $(TOOLS_TEST_SRC:%.cpp=build/tools/test/%.o) $(TOOLS_PURE_SRC:%.cpp=build/tools/test/%.o)

build/tools/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(TOOLS_CXX) $(TOOLS_CXXFLAGS) -c $< -o $@

build/tools/test/%.o: %.cpp
	@mkdir -p $(@D)
	$(TOOLS_CXX) $(TEST_CXXFLAGS) -c $< -o $@

build/tools/tenond: $(TOOLS_DAEMON_OBJ) $(TOOLS_LIB_OBJ)
	$(TOOLS_CXX) $^ $(TOOLS_LIBS) -o $@

build/tools/tenon: $(TOOLS_CLI_OBJ) $(TOOLS_LIB_OBJ)
	$(TOOLS_CXX) $^ $(TOOLS_LIBS) -o $@

build/unit/tools_test: $(TOOLS_TEST_OBJ)
	@mkdir -p $(@D)
	$(TOOLS_CXX) -fsanitize=address,undefined $^ -lgtest -lgtest_main -lfmt -lzstd -llzma -llz4 -lz -o $@

-include $(TOOLS_LIB_OBJ:.o=.d) $(TOOLS_DAEMON_OBJ:.o=.d) $(TOOLS_CLI_OBJ:.o=.d) $(TOOLS_TEST_OBJ:.o=.d)

TOOLS_MAN := $(patsubst docs/man/%.scd,build/man/%,$(wildcard docs/man/*.scd))

build/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

.PHONY: man
man: $(TOOLS_MAN)
