// Pausing whole domains: a count of reasons; the vCPUs' pause_domain bit is set while it is not zero.
#include <tenon/domain/domain.hpp>

namespace tenon::domains {
namespace {

void change(Domain& domain, bool more)
{
    Guard guard(domain.lock);
    if (more ? domain.pause_count++ == 0 : --domain.pause_count == 0)
        domain.for_each_vcpu([&](Vcpu& v) { more ? pause_vcpu_async(v, pause_domain) : resume_vcpu(v, pause_domain); });
}

} // namespace

void pause(Domain& domain)
{
    change(domain, true);
    domain.for_each_vcpu([](Vcpu& v) { wait_until_off_cpu(v); }); // without the lock: they may want it to get off
}

void unpause(Domain& domain) { change(domain, false); }

Status pause_by_tools(Domain& domain)
{
    {
        Guard guard(domain.lock);
        domain.is_paused_by_tools = ++domain.tool_pauses != 0;
    }
    pause(domain);
    return success;
}

Status unpause_by_tools(Domain& domain)
{
    {
        Guard guard(domain.lock);
        if (domain.tool_pauses == 0)
            return Error::inval;
        domain.is_paused_by_tools = --domain.tool_pauses != 0;
    }
    unpause(domain);
    return success;
}

} // namespace tenon::domains
