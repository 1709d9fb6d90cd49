// What common code asks of a CPU. Answered by arch/x86, and by tests/fake on the host.
#pragma once
#include <tenon/ids.hpp>
#include <tenon/lib/bitmap.hpp>

namespace tenon {
using CpuSet = Bitmap<max_cpus>;
} // namespace tenon

namespace tenon::arch {

CpuId this_cpu_id();
const CpuSet& online_cpus();

/// The vCPU that this CPU runs now (an idle vCPU when none).
Vcpu& current_vcpu();
/// This CPU has this vCPU's domain and registers loaded, though it may have stopped: its vcpu_info is at hand.
bool is_loaded_here(const Vcpu& vcpu);

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
/// A word of the scheduler's that the way into a guest reads: this CPU has a decision to make.
std::atomic<bool>& schedule_wanted(CpuId cpu);
/// Likewise: there is mail for the vCPU that runs on it. Cleared before the mail is looked at.
std::atomic<bool>& mail_waiting(CpuId cpu);

/// Nanoseconds since boot, never going back on any CPU.
u64 now_ns();

/// The clock that guests compute by themselves from the TSC (pvclock); the same function as now_ns():
/// now = ns + (((counter - tsc) << shift) * mul >> 32), with a right shift when `shift` is negative.
struct GuestClock {
    u64 tsc = 0; ///< counter value at `ns`
    u64 ns = 0;
    u32 mul = 1; ///< never 0: guests divide by it
    s8 shift = 0;
};
/// A fresh pair for the CPU that asks.
GuestClock clock_snapshot();

/// Arms this CPU's timer interrupt for the absolute time (ns), ~0 for never.
void arm_cpu_timer(u64 deadline_ns);

} // namespace tenon::arch
