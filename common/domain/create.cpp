// How a domain comes into being.
#include "domain_list.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon::domains {
namespace {

Status fill(Domain& domain, const CreateParams& params)
{
    domain.vcpus = make_array<Vcpu*>(params.max_vcpus);
    if (!domain.vcpus)
        return Error::nomem;
    domain.max_vcpus = params.max_vcpus;
    TRY(arch::create_domain(domain)); // before the domain owns a frame
    domain.shared = add_comm_page(domain);
    if (!domain.shared)
        return Error::nomem;
    for (auto& info : domain.shared_page()->vcpu_info)
        info.evtchn_upcall_mask = 1; // a guest that does not know of events yet gets none
    guest_time::update_wallclock(domain);
    TRY(events::init(domain, u32(min(u64{params.max_event_port} + 1, u64{EventChannels::max_ports}))));
    return grants::init(domain, params.grant_frames, params.maptrack_frames);
}

} // namespace

Result<DomainRef> create(const CreateParams& params)
{
    if (params.max_vcpus == 0 || params.max_vcpus > max_vcpus || params.max_event_port == 0)
        return Error::inval;
    if (params.id >= first_reserved_domain && params.id != dom_invalid)
        return Error::inval;
    reap();
    Domain* domain = make<Domain>(params.id);
    if (!domain)
        return Error::nomem;
    domain->refs = 0; // find() does not see it until it is complete
    if (Status entered = enter(*domain); !entered.ok()) {
        tenon::destroy(domain);
        return entered.error();
    }
    domain->is_privileged = params.is_privileged;
    domain->flags = params.flags;
    domain->max_pages = ~u64{0};
    domain->pause_count = domain->tool_pauses = 1;
    __builtin_memcpy(domain->handle, params.handle, sizeof domain->handle);
    Status done = fill(*domain, params);
    domain->refs = 2; // until it is destroyed, and the caller's
    DomainRef ref(domain);
    if (done.ok())
        return ref;
    while (!destroy(*domain)) // there is little to give back
        ;
    return done.error();
}

Status create_vcpus(Domain& domain)
{
    for (u32 i = 0; i < domain.max_vcpus; i++)
        if (!domain.vcpus[i])
            TRY(create_vcpu(domain, i));
    return success;
}

} // namespace tenon::domains
