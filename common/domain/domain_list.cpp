// Domains by id, safe against their destruction; counted references; freeing what nobody refers to.
#include "domain_list.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon {
namespace {

/// Two levels, so that an owner is found without a lock. A slot changes only under `lock`; chunks stay.
constexpr unsigned chunk_size = 256, chunks = first_reserved_domain.raw() / chunk_size + 1;
using Slot = std::atomic<Domain*>;
constinit std::atomic<Slot*> table[chunks];
constinit SpinLock<Rank::domain_list> lock;
constinit u32 last_id = 0;

/// Domains without references, pushed from anywhere and freed where no lock is held.
constinit std::atomic<Domain*> graveyard{nullptr};

Slot* slot_of(u32 id)
{
    if (id >= first_reserved_domain.raw())
        return nullptr;
    Slot* chunk = table[id / chunk_size].load(std::memory_order_acquire);
    return chunk ? chunk + id % chunk_size : nullptr;
}

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
        slot_of(domain.id.raw())->store(nullptr, std::memory_order_release);
    }
    for (u32 i = 0; domain.vcpus && i < domain.max_vcpus; i++)
        if (Vcpu* vcpu = domain.vcpus[i])
            domains::destroy_vcpu(*vcpu);
    heap::free(domain.vcpus);
    arch::destroy_domain(domain);
    events::free_tables(domain);
    heap::free(domain.pirqs.entries);
    tenon::destroy(&domain);
}

} // namespace

bool domains::prepare_slot(u32 id)
{
    std::atomic<Slot*>& place = table[id / chunk_size];
    if (place.load(std::memory_order_acquire))
        return true;
    Slot *chunk = make_array<Slot>(chunk_size), *seen = nullptr;
    if (chunk && !place.compare_exchange_strong(seen, chunk, std::memory_order_acq_rel))
        heap::free(chunk);
    return chunk || seen;
}

bool domains::is_free(DomainId id)
{
    Slot* slot = slot_of(id.raw());
    return !slot || !slot->load(std::memory_order_acquire);
}

/// Ids ascend and are used again only after all others were: tools hold on to numbers.
DomainId domains::choose_id()
{
    Guard guard(lock);
    for (u32 i = 1; i < first_reserved_domain.raw(); i++) {
        u32 id = (last_id + i - 1) % (first_reserved_domain.raw() - 1) + 1;
        if (is_free(DomainId(u16(id))))
            return DomainId(u16(id));
    }
    return dom_invalid;
}

bool domains::insert(Domain& domain)
{
    Guard guard(lock);
    Slot* slot = slot_of(domain.id.raw());
    if (slot->load(std::memory_order_relaxed))
        return false;
    slot->store(&domain, std::memory_order_release);
    if (domain.id != dom0_id)
        last_id = domain.id.raw();
    return true;
}

DomainRef domains::find(DomainId id)
{
    if (graveyard.load(std::memory_order_relaxed))
        reap();
    Slot* slot = slot_of(id.raw());
    if (!slot || !slot->load(std::memory_order_relaxed))
        return {};
    Guard guard(lock); // keeps free_domain() away between the look and the count
    Domain* domain = slot->load(std::memory_order_acquire);
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
    for (u32 id = first; id < first_reserved_domain.raw(); id++) {
        if (!table[id / chunk_size].load(std::memory_order_acquire)) {
            id |= chunk_size - 1;
            continue;
        }
        if (!is_free(DomainId(u16(id))))
            if (DomainRef found = find(DomainId(u16(id))))
                return found;
    }
    return {};
}

DomainRef domains::again(Domain& domain)
{
    domain.refs.fetch_add(1, std::memory_order_relaxed);
    return DomainRef(&domain);
}

Domain* domains::owner_of(const Frame& frame)
{
    Slot* slot = slot_of(frame.owner_id().raw());
    return slot ? slot->load(std::memory_order_acquire) : nullptr;
}

Domain* domains::dom0()
{
    Slot* slot = slot_of(dom0_id.raw());
    return slot ? slot->load(std::memory_order_acquire) : nullptr;
}

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
    while (domain) {
        Domain* rest = domain->next_dead;
        free_domain(*domain);
        domain = rest;
    }
}

} // namespace tenon
