// What common code asks of a CPU. Answered by arch/x86, and by tests/fake on the host.
#pragma once
#include <tenon/ids.hpp>
#include <tenon/lib/bitmap.hpp>
#include <tenon/lib/types.hpp>

namespace tenon {
struct Vcpu;
using CpuSet = Bitmap<max_cpus>;
} // namespace tenon

namespace tenon::arch {

CpuId this_cpu_id();
const CpuSet& online_cpus();

/// The vCPU that this CPU runs now (an idle vCPU when none).
Vcpu& current_vcpu();

/// One turn of a wait loop: a pause, and an answer to what other CPUs asked of this one.
void spin_wait();

/// Debug builds stop on a lock order inversion.
void lock_rank_enter(u8 rank);
void lock_rank_leave(u8 rank);

/// Halts this CPU until an interrupt was handled or another CPU asked for something, on the stack of the vCPU that is loaded.
/// False on a machine that can halt only in its idle vCPU.
bool wait_for_interrupt();

/// Opens the interrupt window for an instant, then says whether this CPU should leave what it does soon.
bool should_yield();

/// Makes another CPU look at its scheduler and its current vCPU's mailbox.
void kick_cpu(CpuId cpu);

/// Nanoseconds since boot, never going back on any CPU.
u64 now_ns();

/// Arms this CPU's timer interrupt for the absolute time (ns), ~0 for never.
void arm_cpu_timer(u64 deadline_ns);

} // namespace tenon::arch
