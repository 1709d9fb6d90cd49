// Virtual interrupts: of one vCPU (its timer), or of the domain that handles a machine-wide one.
#include <tenon/domain/domain.hpp>

namespace tenon::events {
namespace {

constinit std::atomic<u16> handler[NR_VIRQS]{}; ///< domain ids; dom0 unless told otherwise

void send_if_bound(Domain& domain, const u32& port)
{
    Guard guard(domain.events.lock); // so that the port is not closed meanwhile
    if (port)
        set_pending(domain, port);
}

} // namespace

void send_vcpu_virq(Vcpu& vcpu, u32 virq) { send_if_bound(vcpu.domain, vcpu.virq_port[virq]); }

void send_global_virq(u32 virq)
{
    u16 id = handler[virq].load(std::memory_order_relaxed);
    if (id != dom0_id.raw()) {
        if (DomainRef domain = domains::find(DomainId{id}); domain && !domain->is_dying())
            return send_if_bound(*domain, domain->events.global_virq[virq]);
        handler[virq].store(dom0_id.raw(), std::memory_order_relaxed); // it is gone
    }
    if (Domain* dom0 = domains::dom0())
        send_if_bound(*dom0, dom0->events.global_virq[virq]);
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
