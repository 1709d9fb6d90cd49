// Domains by id, safe against their destruction; counted references; freeing what nobody refers to.
#include "domain_list.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon {
namespace {

/// By id, so that an owner is found without a lock. A slot changes only under `lock`.
constinit std::atomic<Domain*> table[first_reserved_domain.raw()];
constinit SpinLock<Rank::domain_list> lock;
constinit u32 last_id = 0;             ///< chosen or asked for
constinit std::atomic<u32> id_end = 0; ///< no domain had this id or a higher one

/// Domains without references, pushed from anywhere and freed where no lock is held.
constinit std::atomic<Domain*> graveyard{nullptr};

Domain* at(DomainId id) { return id < first_reserved_domain ? table[id.raw()].load(std::memory_order_acquire) : nullptr; }

bool get_unless_gone(Domain& domain)
{
    u32 n = domain.refs.load(std::memory_order_relaxed);
    do {
        if (n == 0)
            return false;
    } while (!domain.refs.compare_exchange_weak(n, n + 1, std::memory_order_acquire));
    return true;
}

void free_domain(Domain& domain)
{
    {
        Guard guard(lock);
        table[domain.id.raw()].store(nullptr, std::memory_order_release);
    }
    for (u32 i = 0; domain.vcpus && i < domain.max_vcpus; i++)
        if (Vcpu* vcpu = domain.vcpus[i])
            domains::destroy_vcpu(*vcpu);
    heap::free(domain.vcpus);
    arch::destroy_domain(domain);
    heap::free(domain.events.channels);
    tenon::destroy(&domain);
}

} // namespace

Status domains::enter(Domain& domain)
{
    Guard guard(lock);
    u32 id = domain.id.raw();
    if (domain.id == dom_invalid) {
        // Ids ascend and are used again only after all others were: tools hold on to numbers.
        constexpr u32 ids = first_reserved_domain.raw() - 1;
        id = last_id % ids + 1;
        for (u32 tries = 1; tries < ids && table[id].load(std::memory_order_relaxed); tries++)
            id = id % ids + 1;
        domain.id = DomainId(u16(id));
    }
    if (table[id].load(std::memory_order_relaxed))
        return Error::exist;
    table[id].store(&domain, std::memory_order_release);
    last_id = id ? id : last_id;
    id_end.store(max(id_end.load(std::memory_order_relaxed), id + 1), std::memory_order_relaxed);
    return success;
}

DomainRef domains::find(DomainId id)
{
    if (graveyard.load(std::memory_order_relaxed))
        reap();
    if (!at(id))
        return {};
    Guard guard(lock); // keeps free_domain() away between the look and the count
    Domain* domain = at(id);
    return domain && get_unless_gone(*domain) ? DomainRef(domain) : DomainRef();
}

DomainRef domains::find_for(const Vcpu& caller, DomainId id)
{
    if (id == dom_self || id == caller.domain.id)
        return again(caller.domain);
    return find(id);
}

DomainRef domains::next(u32 first)
{
    for (u32 id = first; id < id_end.load(std::memory_order_relaxed); id++)
        if (DomainRef found = at(DomainId(u16(id))) ? find(DomainId(u16(id))) : DomainRef())
            return found;
    return {};
}

DomainRef domains::again(Domain& domain)
{
    domain.refs.fetch_add(1, std::memory_order_relaxed);
    return DomainRef(&domain);
}

Domain* domains::owner_of(const Frame& frame) { return at(frame.owner_id()); }

Domain* domains::dom0() { return at(dom0_id); }

void domains::put(Domain& domain)
{
    if (domain.refs.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    domain.next_dead = graveyard.load(std::memory_order_relaxed);
    while (!graveyard.compare_exchange_weak(domain.next_dead, &domain, std::memory_order_release))
        ;
}

void DomainRef::drop(Domain& domain)
{
    domains::put(domain);
    if (graveyard.load(std::memory_order_relaxed)) [[unlikely]]
        domains::reap();
}

void domains::reap()
{
    Domain* domain = graveyard.exchange(nullptr, std::memory_order_acquire);
    while (domain)
        free_domain(*std::exchange(domain, domain->next_dead));
}

} // namespace tenon
