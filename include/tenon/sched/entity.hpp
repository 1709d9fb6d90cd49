// The scheduler's view of one vCPU, kept inside it.
#pragma once
#include <tenon/arch/cpu.hpp>
#include <tenon/lib/types.hpp>

namespace tenon {
struct Vcpu;

struct Sched {
    Vcpu* vcpu = nullptr;     ///< whose it is; set once, null in a simulation
    u64 virtual_time = 0;     ///< weighted run time, ns * default_weight / weight
    u64 started_at = 0;       ///< until when its run time is charged
    u64 slice_end = 0;        ///< when others of its queue get their turn
    u64 window_start = 0;     ///< cap: the current window and what was used in it, ns
    u64 window_used = 0;
    u32 heap_slot = 0;        ///< position in its CPU's run queue + 1; 0: not queued
    u16 weight = 256;
    u16 cap = 0;              ///< percent of one CPU, 0 none
    CpuSet hard_affinity, soft_affinity;
    bool yielded = false;
    bool is_member = false;   ///< counted by the scheduler
};

} // namespace tenon
