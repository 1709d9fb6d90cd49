// A domain's own end or suspension. What the control domain does to itself, it does to the machine.
#include <abi/sched.h>
#include <tenon/arch/power.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>

namespace tenon::domains {
namespace {

void end_machine(u32 reason)
{
    static constexpr const char* names[] = {"powers off", "reboots", "suspends", "crashed", "missed its watchdog", "resets"};
    log_info("dom0 %s", reason <= SHUTDOWN_MAX ? names[reason] : "shut down");
    if (reason == SHUTDOWN_poweroff)
        arch::power_off();
    else
        arch::reboot(reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog);
}

} // namespace

void shut_down(Domain& domain, u32 reason)
{
    if (domain.id == dom0_id)
        return end_machine(domain.shutdown_code == ~0u ? reason : domain.shutdown_code);
    {
        Guard guard(domain.lock);
        if (domain.is_shut_down || domain.is_dying())
            return;
        domain.is_shut_down = true;
        if (domain.shutdown_code == ~0u) // otherwise SCHEDOP_shutdown_code said it before
            domain.shutdown_code = reason;
        reason = domain.shutdown_code;
        if (domain.pause_count++ == 0)
            domain.for_each_vcpu([](Vcpu& v) { pause_vcpu_async(v, pause_domain); });
    }
    log_info("d%u shut down, reason %u", domain.id.raw(), reason);
    events::send_global_virq(VIRQ_DOM_EXC);
}

Status resume(Domain& domain)
{
    {
        Guard guard(domain.lock);
        if (!domain.is_shut_down)
            return Error::inval;
        domain.is_shut_down = false;
        domain.shutdown_code = ~0u;
    }
    unpause(domain);
    return success;
}

} // namespace tenon::domains
