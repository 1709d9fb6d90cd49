// domctl: what a domain is and how it does; its name tags and its clock.
#include "request.hpp"
#include <tenon/log.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon::domctls {

u64 run_time(Vcpu& vcpu)
{
    return guest_time::runstate_now(vcpu).time[RUNSTATE_running];
}

xen_domctl_getdomaininfo describe(Domain& domain)
{
    xen_domctl_getdomaininfo info{};
    info.domain = domain.id.raw();
    bool running = false, all_blocked = true;
    info.max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    domain.for_each_vcpu([&](Vcpu& vcpu) {
        u32 reasons = vcpu.pause.load(std::memory_order_relaxed);
        info.max_vcpu_id = vcpu.id.raw();
        info.cpu_time += run_time(vcpu);
        if (reasons & pause_down)
            return;
        info.nr_online_vcpus++;
        running |= vcpu.is_on_cpu.load(std::memory_order_relaxed) && !reasons;
        all_blocked &= (reasons & (pause_blocked | pause_polling)) != 0;
    });
    u32 code = domain.shutdown_code; // all ones while there is none, also beyond the field's eight bits
    info.flags = (domain.is_dying() ? XEN_DOMINF_dying : 0) | (domain.is_shut_down ? XEN_DOMINF_shutdown : 0) |
                 (domain.tool_pauses ? XEN_DOMINF_paused : 0) |
                 (all_blocked && info.nr_online_vcpus ? XEN_DOMINF_blocked : 0) | (running ? XEN_DOMINF_running : 0) |
                 (domain.flags & XEN_DOMCTL_CDF_xs_domain ? XEN_DOMINF_xs_domain : 0) | code << XEN_DOMINF_shutdownshift;
    info.tot_pages = domain.total_pages;
    info.max_pages = domain.max_pages;
    info.shared_info_frame = domain.shared ? domain.shared.mfn.raw() : ~u64{0};
    info.ssidref = domain.ssidref;
    __builtin_memcpy(info.handle, domain.handle, sizeof info.handle);
    return info;
}

CallResult get_info(Request& r)
{
    r.op.u.getdomaininfo = describe(*r.target);
    r.op.domain = r.target->id.raw();
    return s64{0};
}

CallResult set_handle(Request& r)
{
    __builtin_memcpy(r.target->handle, r.op.u.setdomainhandle.handle, sizeof r.target->handle);
    return s64{0};
}

CallResult set_time_offset(Request& r)
{
    constexpr s64 most = s64{1} << 33; // as far as a wall clock in seconds goes
    s64 seconds = r.op.u.settimeoffset.time_offset_seconds;
    if (seconds > most || seconds < -most)
        return Error::inval;
    r.target->wallclock_offset = seconds;
    guest_time::update_wallclock(*r.target);
    return s64{0};
}

CallResult set_virq_handler(Request& r)
{
    TRY(events::set_global_virq_handler(r.op.u.set_virq_handler.virq, r.target->id));
    return s64{0};
}

/// There is no debugger interface to turn on.
CallResult set_debugging(Request& r)
{
    if (r.op.u.setdebugging.enable)
        return Error::nosys;
    return s64{0};
}

CallResult set_address_size(Request& r)
{
    if (r.op.u.address_size.size != 64) {
        log_warning("d%u: 32-bit PV guests are not supported", r.target->id.raw());
        return Error::inval;
    }
    return s64{0};
}

CallResult get_address_size(Request& r)
{
    r.op.u.address_size.size = 64;
    return s64{0};
}

} // namespace tenon::domctls
