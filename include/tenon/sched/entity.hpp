// The scheduler's view of one vCPU, kept inside it.
#pragma once
#include <tenon/arch/cpu.hpp>

namespace tenon {
class CapPool;

struct Sched {
    Vcpu* vcpu = nullptr;    ///< whose it is; set once
    CapPool* pool = nullptr; ///< its domain's cap; set once
    u64 virtual_time = 0;    ///< weighted run time, ns * default_weight / weight; comparable on all CPUs
    u64 lifted = 0;          ///< how much of it was added because it slept; a clock that goes back takes it away again
    u64 started_at = 0;      ///< until when its run time is charged
    u64 turn_began = 0;      ///< when it was chosen to run
    u64 slice_end = 0;       ///< when others of its queue get their turn
    u16 weight = 256;
    u32 rank = 0; ///< in its CPU's run queue; 0: not queued
    Sched *left = nullptr, *right = nullptr, *parent = nullptr;
    CpuSet hard_affinity, soft_affinity;
    bool is_queued() const { return rank != 0; }
};

} // namespace tenon
