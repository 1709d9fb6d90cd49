// Pausing whole domains: a count of reasons; the vCPUs' pause_domain bit is set while it is not zero. And a domain's own end or
// suspension, which is such a reason. What the control domain does to itself, it does to the machine.
#include <abi/sched.h>
#include <tenon/arch/machine.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>

namespace tenon::domains {
namespace {

/// With domain.lock held.
void change(Domain& domain, bool more)
{
    if (more ? domain.pause_count++ == 0 : --domain.pause_count == 0)
        domain.for_each_vcpu([&](Vcpu& v) { more ? pause_vcpu_async(v, pause_domain) : resume_vcpu(v, pause_domain); });
}

void end_machine(u32 reason)
{
    static constexpr const char* names[] = {"powers off", "reboots", "suspends", "crashed", "missed its watchdog", "resets"};
    log_info("dom0 %s", reason <= SHUTDOWN_MAX ? names[reason] : "shut down");
    if (reason == SHUTDOWN_poweroff)
        arch::power_off();
    else
        arch::reboot(reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog);
}

/// Without the lock: the vCPUs may want it to get off their CPUs.
void wait_until_stopped(Domain& domain)
{
    domain.for_each_vcpu([](Vcpu& v) { wait_until_off_cpu(v); });
}

} // namespace

void pause(Domain& domain)
{
    {
        Guard guard(domain.lock);
        change(domain, true);
    }
    wait_until_stopped(domain);
}

void unpause(Domain& domain)
{
    Guard guard(domain.lock);
    change(domain, false);
}

void pause_by_tools(Domain& domain)
{
    {
        Guard guard(domain.lock);
        domain.tool_pauses++;
        change(domain, true);
    }
    wait_until_stopped(domain);
}

Status unpause_by_tools(Domain& domain)
{
    Guard guard(domain.lock);
    if (domain.tool_pauses == 0)
        return Error::inval;
    domain.tool_pauses--;
    change(domain, false);
    return success;
}

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
        change(domain, true);
    }
    log_info("d%u shut down, reason %u", domain.id.raw(), reason);
    events::send_global_virq(VIRQ_DOM_EXC);
}

Status resume(Domain& domain)
{
    Guard guard(domain.lock);
    if (!domain.is_shut_down)
        return Error::inval;
    domain.is_shut_down = false;
    domain.shutdown_code = ~0u;
    change(domain, false);
    return success;
}

} // namespace tenon::domains
