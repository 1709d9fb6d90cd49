// domctl: version check, lookup of operation and domain, and the copy of results back to the tool. One domctl runs at a time.
#include "request.hpp"
#include <array>

namespace tenon {

void two_domctls_have_one_number(); ///< never defined: calling it in a constant expression does not compile

namespace {

enum class Needs : u8 {
    nothing,  ///< names no domain that exists
    domain,   ///< any, also a dying one
    alive,    ///< not dying
    other,    ///< not the caller's own, may be dying
    other_alive,
};
enum class Gives : u8 { status, structure };

struct Row {
    u32 command;
    const char* name;
    CallResult (*run)(domctls::Request&);
    Needs needs;
    Gives gives;
};

constexpr Row rows[] = {
    {XEN_DOMCTL_createdomain, "createdomain", domctls::create, Needs::nothing, Gives::structure},
    {XEN_DOMCTL_destroydomain, "destroydomain", domctls::destroy, Needs::other, Gives::status},
    {XEN_DOMCTL_pausedomain, "pausedomain", domctls::pause, Needs::other, Gives::status},
    {XEN_DOMCTL_unpausedomain, "unpausedomain", domctls::unpause, Needs::other, Gives::status},
    {XEN_DOMCTL_getdomaininfo, "getdomaininfo", domctls::get_info, Needs::domain, Gives::structure},
    {XEN_DOMCTL_setvcpuaffinity, "setvcpuaffinity", domctls::set_affinity, Needs::alive, Gives::structure},
    {XEN_DOMCTL_shadow_op, "shadow_op", domctls::shadow_op, Needs::alive, Gives::structure},
    {XEN_DOMCTL_max_mem, "max_mem", domctls::max_mem, Needs::alive, Gives::status},
    {XEN_DOMCTL_setvcpucontext, "setvcpucontext", domctls::set_context, Needs::other_alive, Gives::status},
    {XEN_DOMCTL_getvcpucontext, "getvcpucontext", domctls::get_context, Needs::other, Gives::structure},
    {XEN_DOMCTL_getvcpuinfo, "getvcpuinfo", domctls::get_vcpu_info, Needs::domain, Gives::structure},
    {XEN_DOMCTL_max_vcpus, "max_vcpus", domctls::make_vcpus, Needs::other_alive, Gives::status},
    {XEN_DOMCTL_scheduler_op, "scheduler_op", domctls::scheduler_op, Needs::alive, Gives::structure},
    {XEN_DOMCTL_setdomainhandle, "setdomainhandle", domctls::set_handle, Needs::alive, Gives::status},
    {XEN_DOMCTL_setdebugging, "setdebugging", domctls::set_debugging, Needs::other_alive, Gives::status},
    {XEN_DOMCTL_irq_permission, "irq_permission", domctls::irq_permission, Needs::alive, Gives::status},
    {XEN_DOMCTL_iomem_permission, "iomem_permission", domctls::iomem_permission, Needs::alive, Gives::status},
    {XEN_DOMCTL_ioport_permission, "ioport_permission", domctls::ioport_permission, Needs::alive, Gives::status},
    {XEN_DOMCTL_hypercall_init, "hypercall_init", domctls::hypercall_init, Needs::alive, Gives::status},
    {XEN_DOMCTL_settimeoffset, "settimeoffset", domctls::set_time_offset, Needs::alive, Gives::status},
    {XEN_DOMCTL_getvcpuaffinity, "getvcpuaffinity", domctls::get_affinity, Needs::domain, Gives::structure},
    {XEN_DOMCTL_resumedomain, "resumedomain", domctls::resume, Needs::other_alive, Gives::status},
    {XEN_DOMCTL_sendtrigger, "sendtrigger", domctls::send_trigger, Needs::alive, Gives::status},
    {XEN_DOMCTL_set_address_size, "set_address_size", domctls::set_address_size, Needs::alive, Gives::status},
    {XEN_DOMCTL_get_address_size, "get_address_size", domctls::get_address_size, Needs::domain, Gives::structure},
    {XEN_DOMCTL_gettscinfo, "gettscinfo", domctls::get_tsc_info, Needs::domain, Gives::structure},
    {XEN_DOMCTL_settscinfo, "settscinfo", domctls::set_tsc_info, Needs::other_alive, Gives::status},
    {XEN_DOMCTL_getpageframeinfo3, "getpageframeinfo3", domctls::get_frame_info, Needs::domain, Gives::status},
    {XEN_DOMCTL_set_virq_handler, "set_virq_handler", domctls::set_virq_handler, Needs::alive, Gives::status},
    {XEN_DOMCTL_setnodeaffinity, "setnodeaffinity", domctls::set_node_affinity, Needs::alive, Gives::status},
    {XEN_DOMCTL_getnodeaffinity, "getnodeaffinity", domctls::get_node_affinity, Needs::domain, Gives::structure},
    {XEN_DOMCTL_get_cpu_policy, "get_cpu_policy", domctls::get_cpu_policy, Needs::domain, Gives::structure},
    {XEN_DOMCTL_set_cpu_policy, "set_cpu_policy", domctls::set_cpu_policy, Needs::other_alive, Gives::status},
};

constexpr auto table = [] {
    std::array<const Row*, 96> by_number{};
    for (const Row& row : rows) {
        if (by_number[row.command])
            two_domctls_have_one_number();
        by_number[row.command] = &row;
    }
    return by_number;
}();

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

Status check(const Row& row, const Call& call, const DomainRef& target)
{
    if (!target)
        return Error::srch;
    if ((row.needs == Needs::other || row.needs == Needs::other_alive) && &*target == &call.domain)
        return Error::inval;
    if ((row.needs == Needs::alive || row.needs == Needs::other_alive) && target->is_dying())
        return Error::inval;
    return success;
}

} // namespace

CallResult hypercall::domctl(Call& call, Privileged, u64 argument)
{
    GuestPtr<xen_domctl> handle(argument);
    auto op = TRY(handle.read());
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return Error::access;
    const Row* row = op.cmd < table.size() ? table[op.cmd] : nullptr;
    if (!row) {
        note_refused(call, op.cmd, Error::nosys);
        return Error::nosys;
    }
    Turn turn;
    if (!turn.taken)
        return Error::restart;
    DomainRef target;
    if (row->needs != Needs::nothing) {
        target = domains::find_for(call.vcpu, DomainId{op.domain});
        TRY(check(*row, call, target));
    }
    domctls::Request request{call, handle, op, target ? &*target : nullptr};
    CallResult result = row->run(request);
    if (result.ok() && row->gives == Gives::structure)
        TRY(handle.write(op));
    if (!result.ok() && (result.error() == Error::nosys || result.error() == Error::notsup))
        note_refused(call, op.cmd, result.error());
    return result;
}

} // namespace tenon
