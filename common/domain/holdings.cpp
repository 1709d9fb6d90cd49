// Debug key m: what each domain holds, counted one by one, so that a test sees a single thing that is lost.
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon {
namespace {

struct Holdings {
    u32 ports = 0, pirqs = 0, bound = 0; ///< bound: pirqs with a port
    u32 granted = 0;                     ///< entries in use by others
    u32 handles = 0, mapped = 0;         ///< room for what others granted, and how much of it is in use
};

Holdings holdings_of(Domain& domain)
{
    Holdings held;
    {
        Guard guard(domain.events.lock);
        for (u32 port = 1; port < domain.events.port_limit; port++)
            held.ports += domain.events.channels[port].state != ChannelState::free;
    }
    {
        Guard guard(domain.pirqs.lock);
        for (u32 i = 0; domain.pirqs.entries && i < PirqTable::limit; i++) {
            held.pirqs += domain.pirqs.entries[i].kind != PirqKind::none;
            held.bound += domain.pirqs.entries[i].port != 0;
        }
    }
    GrantTable& grants = domain.grants;
    Guard guard(grants.lock);
    for (u32 i = 0; i < grants.frame_count * GrantTable::entries_per_frame; i++) {
        const ActiveGrant& use = grants.active[i / GrantTable::entries_per_frame][i % GrantTable::entries_per_frame];
        held.granted += use.readers || use.writers;
    }
    held.handles = grants.maptrack_count;
    for (u32 handle = 0; handle < held.handles; handle++)
        held.mapped += grants.maptrack[handle / GrantTable::tracks_per_frame][handle % GrantTable::tracks_per_frame].flags.load() != 0;
    return held;
}

} // namespace

void domains::log_holdings()
{
    u64 pages = 0;
    for (DomainRef domain = next(0); domain; domain = next(domain->id.raw() + 1u)) {
        Holdings held = holdings_of(*domain);
        log_info("d%u: pages %lu channels %u pirqs %u bound %u granted %u handles %u mapped %u", domain->id.raw(), domain->total_pages,
                 held.ports, held.pirqs, held.bound, held.granted, held.handles, held.mapped);
        pages += domain->total_pages;
    }
    const MemoryStats memory = frame_allocator::stats();
    const u64 heap = heap::pages(), tables = arch::heap_tables();
    log_info("memory: free %lu domains %lu heap %lu tables %lu others %lu", memory.free, pages, heap, tables,
             memory.total - memory.free - pages - heap - tables);
}

} // namespace tenon
