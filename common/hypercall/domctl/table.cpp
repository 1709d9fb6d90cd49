// domctl: lookup of operation and domain. One domctl runs at a time.
#include "request.hpp"
#include <tenon/log.hpp>

namespace tenon {
namespace {

using namespace domctls;
using hypercall::only_if;

enum class Needs : u8 {
    nothing, ///< names no domain that exists
    domain,  ///< any, also a dying one
    next,    ///< the first one with this number or a higher one: so tools go through all of them
    alive,   ///< not dying
    other,   ///< not the caller's own, may be dying
    other_alive,
};

struct Row {
    u32 command;
    const char* name;
    Needs needs;
    Status (*run)(Request&);
};

/// Of the machine's interrupts, memory and ports: a guest has none and can be given none without an IOMMU; taking away what it
/// does not have succeeds. The control domain's own access stays.
Status permit(const Request& r, bool allow) { return only_if(allow == r.target.arch.has_hardware, Error::notsup); }

Status set_address_size(Request& r)
{
    if (r.u.address_size.size == 64)
        return success;
    log_warning("d%u: 32-bit PV guests are not supported", r.target.id.raw());
    return Error::inval;
}

using R = Request&;
constexpr Row rows[] = {
    {XEN_DOMCTL_createdomain, "createdomain", Needs::nothing, create},
    // Error::restart while there is more to do: the tool executes the call again without seeing it.
    {XEN_DOMCTL_destroydomain, "destroydomain", Needs::other, [](R r) { return domains::destroy(r.target); }},
    {XEN_DOMCTL_pausedomain, "pausedomain", Needs::other,
     [](R r) -> Status {
         domains::pause_by_tools(r.target);
         return success;
     }},
    {XEN_DOMCTL_unpausedomain, "unpausedomain", Needs::other, [](R r) { return domains::unpause_by_tools(r.target); }},
    {XEN_DOMCTL_getdomaininfo, "getdomaininfo", Needs::next, get_info},
    {XEN_DOMCTL_setvcpuaffinity, "setvcpuaffinity", Needs::alive, set_affinity},
    // A PV guest runs on its own page tables: there is no shadow to turn off, and no log of dirty frames yet.
    {XEN_DOMCTL_shadow_op, "shadow_op", Needs::alive,
     [](R r) { return only_if(r.u.shadow_op.op == XEN_DOMCTL_SHADOW_OP_OFF, Error::notsup); }},
    {XEN_DOMCTL_max_mem, "max_mem", Needs::alive, max_mem},
    {XEN_DOMCTL_setvcpucontext, "setvcpucontext", Needs::other_alive, set_context},
    {XEN_DOMCTL_getvcpucontext, "getvcpucontext", Needs::other, get_context},
    {XEN_DOMCTL_getvcpuinfo, "getvcpuinfo", Needs::domain, get_vcpu_info},
    // The number was given to createdomain; it cannot change.
    {XEN_DOMCTL_max_vcpus, "max_vcpus", Needs::other_alive,
     [](R r) { return r.u.max_vcpus.max == r.target.max_vcpus ? domains::create_vcpus(r.target) : Error::inval; }},
    {XEN_DOMCTL_scheduler_op, "scheduler_op", Needs::alive, scheduler_op},
    {XEN_DOMCTL_setdomainhandle, "setdomainhandle", Needs::alive,
     [](R r) -> Status {
         __builtin_memcpy(r.target.handle, r.u.setdomainhandle.handle, 16);
         return success;
     }},
    // There is no debugger interface to turn on.
    {XEN_DOMCTL_setdebugging, "setdebugging", Needs::other_alive, [](R r) { return only_if(!r.u.setdebugging.enable, Error::nosys); }},
    {XEN_DOMCTL_irq_permission, "irq_permission", Needs::alive, [](R r) { return permit(r, r.u.irq_permission.allow_access); }},
    {XEN_DOMCTL_iomem_permission, "iomem_permission", Needs::alive, [](R r) { return permit(r, r.u.iomem_permission.allow_access); }},
    {XEN_DOMCTL_ioport_permission, "ioport_permission", Needs::alive, [](R r) { return permit(r, r.u.ioport_permission.allow_access); }},
    {XEN_DOMCTL_hypercall_init, "hypercall_init", Needs::alive, hypercall_init},
    {XEN_DOMCTL_settimeoffset, "settimeoffset", Needs::alive, set_time_offset},
    {XEN_DOMCTL_getvcpuaffinity, "getvcpuaffinity", Needs::domain, get_affinity},
    {XEN_DOMCTL_resumedomain, "resumedomain", Needs::other_alive, [](R r) { return domains::resume(r.target); }},
    // The triggers but NMI are an emulated machine's buttons.
    {XEN_DOMCTL_sendtrigger, "sendtrigger", Needs::alive,
     [](R r) -> Status {
         TRY(only_if(r.u.sendtrigger.trigger == XEN_DOMCTL_SENDTRIGGER_NMI, Error::nosys));
         notify_vcpu(*TRY(r.vcpu(r.u.sendtrigger.vcpu)), mail_nmi);
         return success;
     }},
    {XEN_DOMCTL_set_address_size, "set_address_size", Needs::alive, set_address_size},
    {XEN_DOMCTL_get_address_size, "get_address_size", Needs::domain,
     [](R r) -> Status {
         r.u.address_size.size = 64;
         return success;
     }},
    {XEN_DOMCTL_gettscinfo, "gettscinfo", Needs::domain, get_tsc_info},
    {XEN_DOMCTL_settscinfo, "settscinfo", Needs::other_alive, set_tsc_info},
    {XEN_DOMCTL_getpageframeinfo3, "getpageframeinfo3", Needs::domain, get_frame_info},
    {XEN_DOMCTL_set_virq_handler, "set_virq_handler", Needs::alive,
     [](R r) { return events::set_global_virq_handler(r.u.set_virq_handler.virq, r.target.id); }},
    {XEN_DOMCTL_setnodeaffinity, "setnodeaffinity", Needs::alive, set_node_affinity},
    {XEN_DOMCTL_getnodeaffinity, "getnodeaffinity", Needs::domain, get_node_affinity},
    {XEN_DOMCTL_get_cpu_policy, "get_cpu_policy", Needs::domain, get_cpu_policy},
    {XEN_DOMCTL_set_cpu_policy, "set_cpu_policy", Needs::other_alive, set_cpu_policy},
};

static_assert(hypercall::rows_differ(rows));

/// Set while a domctl runs. Another one asks its guest to try again, so that nobody waits with interrupts off.
constinit std::atomic<bool> is_running;

struct Turn : Pinned {
    bool taken = !is_running.exchange(true, std::memory_order_acquire); // pairs with the release of the one before
    ~Turn()
    {
        if (taken)
            is_running.store(false, std::memory_order_release);
    }
};

Result<DomainRef> find_target(const Call& call, Needs needs, u16 id)
{
    auto target =
        needs == Needs::next ? domains::next(id) : domains::find_for(call.vcpu, needs == Needs::nothing ? dom_self : DomainId{id});
    if (!target)
        return Error::srch;
    bool other = needs == Needs::other || needs == Needs::other_alive, alive = needs == Needs::alive || needs == Needs::other_alive;
    if ((other && &*target == &call.domain) || (alive && target->is_dying()))
        return Error::inval;
    return target;
}

} // namespace

CallResult hypercall::domctl(Call& call, Privileged, u64 argument)
{
    return control_call<xen_domctl>(call, argument, XEN_DOMCTL_INTERFACE_VERSION, [&](xen_domctl& op) -> Status {
        const Row* row = find_row(rows, op.cmd);
        if (!row)
            return Error::nosys;
        Turn turn;
        if (!turn.taken)
            return Error::restart;
        DomainRef target = TRY(find_target(call, row->needs, op.domain));
        Request request{call, GuestPtr<xen_domctl>(argument), op, op.u, *target};
        return row->run(request);
    });
}

} // namespace tenon
