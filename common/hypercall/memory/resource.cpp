// acquire_resource: the frames of a domain's grant table, for its builder to map.
#include "operations.hpp"
#include <tenon/arch/cpu.hpp>

namespace tenon::hypercall::memory {

CallResult acquire_resource(Operation& op)
{
    auto request = TRY(op.as<xen_mem_acquire_resource>().read());
    if (request.pad)
        return Error::inval;
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    DomainRef domain = TRY(target_of(op.call, request.domid));
    if (request.type != XENMEM_resource_grant_table || request.id != XENMEM_resource_grant_table_id_shared)
        return refuse(op.call, op.command, Error::notsup);
    if (!request.frame_list) {
        if (request.nr_frames)
            return Error::inval;
        return done(op.as<xen_mem_acquire_resource>().at(&xen_mem_acquire_resource::nr_frames).write(domain->grants.max_frames));
    }
    if (op.done > request.nr_frames || request.frame > domain->grants.max_frames ||
        request.nr_frames > domain->grants.max_frames - request.frame)
        return Error::inval;
    for (u64 i = op.done; i < request.nr_frames; i++) {
        if (i != op.done && i % 64 == 0 && arch::should_yield())
            return op.restart_at(i);
        Mfn mfn = TRY(grants::shared_frame(*domain, u32(request.frame + i)));
        TRY((GuestPtr<u64>(request.frame_list) + i).write(mfn.raw()));
    }
    return s64{0};
}

} // namespace tenon::hypercall::memory
