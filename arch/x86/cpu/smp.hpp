// Other CPUs: bringing them up, and asking things of them.
#pragma once
#include "per_cpu.hpp"

namespace tenon::x86 {

/// The idle vCPUs are of a domain that owns no memory and never sees a guest. This makes it and the boot CPU's.
void create_idle_domain();
/// Starts the CPUs that the firmware lists, until `limit` of them run. Boot CPU.
void start_other_cpus(u32 limit);
void flush_as_asked();
/// Answers what others ask of this CPU: on their interrupt, in wait loops, and in the interrupt window. False: nothing.
inline bool answer_requests(PerCpu& cpu = this_cpu())
{
    const bool asked = cpu.requests.load(std::memory_order_acquire);
    if (asked) [[unlikely]]
        flush_as_asked();
    return asked;
}
void flush_this_cpu();
/// The idle vCPU's endless work.
[[noreturn]] void idle_loop();
/// Stops all other CPUs for good (panic, reboot).
void stop_other_cpus();
bool is_stopping();
/// After a panic or a boot that failed: reboot in a while, or halt with `noreboot`.
[[noreturn]] void stop_after_failure();
extern constinit CpuSet online;

} // namespace tenon::x86
