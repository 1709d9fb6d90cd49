// A machine for host tests: CPUs (one per thread, or one thread that plays several), time, interrupts between CPUs.
#pragma once
#include <fake/memory.hpp>
#include <string>
#include <tenon/arch/cpu.hpp>
#include <tenon/ids.hpp>

namespace tenon::fake {

/// Thrown by panic(): a test that expects one catches it.
struct Panic {
    std::string message;
};

/// `cpus` CPUs online, time zero, nothing armed, no vCPU current, this thread is CPU 0.
void reset(unsigned cpus = 1);
/// Which CPU the calling thread is.
void set_cpu(CpuId cpu);
/// What arch::current_vcpu() answers on the calling thread's CPU; nullptr: asking panics.
void set_current(Vcpu* vcpu);

void set_time(u64 ns);
void advance_time(u64 ns);
u64 armed_timer(CpuId cpu); ///< ~0 when none
u64 kicks(CpuId cpu);       ///< times kick_cpu was called for it

/// The n-th call from now of arch::should_yield() answers true, once; 0: never.
void yield_after(unsigned calls);

/// Called by every turn of a spin wait (simulated interrupts); nullptr: none.
void on_spin(void (*hook)());
/// Called by a CPU that has nothing to do; what it answers is arch::wait_for_interrupt()'s answer. nullptr: false.
void on_idle(bool (*hook)());

/// Everything written to the console since the last call.
std::string take_log();

} // namespace tenon::fake
