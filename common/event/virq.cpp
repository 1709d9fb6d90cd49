// Virtual interrupts: of one vCPU (its timer), or of the domain that handles a machine-wide one.
#include "virq.hpp"
#include <tenon/domain/domain.hpp>

namespace tenon::events {
namespace {

constinit std::atomic<u16> handler[NR_VIRQS]{}; ///< domain ids; dom0 unless told otherwise

void send_to(Domain& domain, u32 virq)
{
    Guard guard(domain.events.lock); // so that the port is not closed meanwhile
    if (u32 port = domain.events.global_virq[virq])
        set_pending(domain, port);
}

} // namespace

void send_vcpu_virq(Vcpu& vcpu, u32 virq)
{
    Guard guard(vcpu.domain.events.lock);
    if (u32 port = vcpu.virq_port[virq])
        set_pending(vcpu.domain, port);
}

void send_global_virq(u32 virq)
{
    u16 id = handler[virq].load(std::memory_order_relaxed);
    if (id != dom0_id.raw()) {
        if (DomainRef domain = domains::find(DomainId{id}); domain && !domain->is_dying())
            return send_to(*domain, virq);
        handler[virq].store(dom0_id.raw(), std::memory_order_relaxed); // it is gone
    }
    if (Domain* dom0 = domains::dom0())
        send_to(*dom0, virq);
}

Status set_global_virq_handler(u32 virq, DomainId domain)
{
    if (virq >= NR_VIRQS || !is_global(virq))
        return Error::inval;
    if (!domains::find(domain))
        return Error::srch;
    handler[virq].store(domain.raw(), std::memory_order_relaxed);
    return success;
}

} // namespace tenon::events
