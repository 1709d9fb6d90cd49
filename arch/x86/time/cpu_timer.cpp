// This CPU's timer interrupt: the local APIC's, by TSC deadline or by counter.
#include "clock.hpp"
#include <tenon/arch/cpu.hpp>
#include <tenon/device/lapic.hpp>

namespace tenon {

void arch::arm_cpu_timer(u64 deadline_ns)
{
    if (deadline_ns == ~u64{0})
        return lapic::has_tsc_deadline() ? lapic::set_deadline(0) : lapic::set_timer(0);
    if (lapic::has_tsc_deadline())
        return lapic::set_deadline(clock::tsc_at(deadline_ns)); // one in the past fires at once
    const u64 now = arch::now_ns();
    lapic::set_timer(deadline_ns > now ? deadline_ns - now : 1);
}

} // namespace tenon
