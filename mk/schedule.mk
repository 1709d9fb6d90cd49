# The scheduler in virtual time: the real common/sched on up to 512 CPUs with 4,096 vCPUs; every basic block that it executes is
# counted. `make bench-schedule` checks its promises and draws docs/schedule.svg.
SIM := $(BUILD)/schedule
SIM_FLAGS := -std=c++20 -O2 -g -fno-strict-aliasing -ffunction-sections -fdata-sections -Wall -Wextra -Werror -DTENON_MAX_CPUS=512 \
  -Itests/fake/include -Iinclude -I.
SIM_COUNTED := $(wildcard common/sched/*.cpp) common/time/timer_queue.cpp
SIM_OBJECTS := $(patsubst %.cpp,$(SIM)/%.o,$(SIM_COUNTED) common/domain/vcpu.cpp $(wildcard tests/bench/schedule*.cpp))

.PHONY: bench-schedule check-schedule
check-schedule: $(SIM)/schedule ##  fair shares, caps, latency and cost of the scheduler in virtual time
	$(Q)$< > $(SIM)/results.txt && grep -v '^plot' $(SIM)/results.txt || { cat $(SIM)/results.txt; exit 1; }
bench-schedule: check-schedule ##  the same, and draw docs/schedule.svg
	$(Q)$(PYTHON) tests/bench/schedule_plot.py $(SIM)/results.txt docs/schedule.svg

$(SIM)/schedule: $(SIM_OBJECTS)
	$(Q)$(UNIT_CXX) -Wl,--gc-sections -o $@ $^
$(patsubst %.cpp,$(SIM)/%.o,$(SIM_COUNTED)): SIM_COUNT := -fsanitize-coverage=trace-pc
$(SIM)/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  SIM   $<"
	$(Q)$(UNIT_CXX) $(SIM_FLAGS) $(SIM_COUNT) -MMD -MP -c $< -o $@

-include $(SIM_OBJECTS:.o=.d)
