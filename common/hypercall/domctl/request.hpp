// One domctl being executed, and the handlers by family. The table says which of them give the structure back, and what must
// be true of the domain it names.
#pragma once
#include <abi/domctl.h>
#include <tenon/hypercall/table.hpp>

namespace tenon::domctls {

struct Request {
    Call& call;
    GuestPtr<xen_domctl> handle;
    xen_domctl& op;       ///< a copy; written back after success where the table says so
    Domain* target;       ///< null for createdomain only

    /// The target's vCPU with this number.
    Result<Vcpu*> vcpu(u32 id) const
    {
        Vcpu* found = target->vcpu(id);
        return found ? Result<Vcpu*>(found) : Error::noent;
    }
};

// lifecycle.cpp
CallResult create(Request& r);
CallResult destroy(Request& r);
CallResult pause(Request& r);
CallResult unpause(Request& r);
CallResult resume(Request& r);
CallResult make_vcpus(Request& r);
CallResult hypercall_init(Request& r);
// info.cpp
CallResult get_info(Request& r);
CallResult set_handle(Request& r);
CallResult set_time_offset(Request& r);
CallResult set_virq_handler(Request& r);
CallResult set_debugging(Request& r);
CallResult set_address_size(Request& r);
CallResult get_address_size(Request& r);
// memory.cpp
CallResult max_mem(Request& r);
CallResult get_frame_info(Request& r);
CallResult shadow_op(Request& r);
// vcpu.cpp
CallResult set_context(Request& r);
CallResult get_context(Request& r);
CallResult get_vcpu_info(Request& r);
CallResult send_trigger(Request& r);
// scheduler.cpp
CallResult set_affinity(Request& r);
CallResult get_affinity(Request& r);
CallResult set_node_affinity(Request& r);
CallResult get_node_affinity(Request& r);
CallResult scheduler_op(Request& r);
// hardware.cpp
CallResult irq_permission(Request& r);
CallResult iomem_permission(Request& r);
CallResult ioport_permission(Request& r);
// cpu.cpp
CallResult set_tsc_info(Request& r);
CallResult get_tsc_info(Request& r);
CallResult get_cpu_policy(Request& r);
CallResult set_cpu_policy(Request& r);

/// What getdomaininfo and getdomaininfolist say of a domain.
xen_domctl_getdomaininfo describe(Domain& domain);
/// Nanoseconds that a vCPU has run.
u64 run_time(Vcpu& vcpu);

} // namespace tenon::domctls
