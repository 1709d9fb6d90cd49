// Debug key m: what each domain holds, counted one by one, so that a test sees a single thing that is lost.
#include "../grant/entry.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon {
namespace {

void log_holdings_of(Domain& domain)
{
    u32 ports = 0, pirqs = 0, bound = 0;      // bound: pirqs with a port
    u32 granted = 0, handles = 0, mapped = 0; // entries in use by others; room for what others granted, and how much of it is in use
    {
        Guard guard(domain.events.lock);
        for (u32 port = 1; port < domain.events.port_limit; port++)
            ports += domain.events.channels[port].state != ChannelState::free;
    }
    {
        Guard guard(domain.pirqs.lock);
        for (const PirqEntry& entry : domain.pirqs.entries) {
            pirqs += !entry.is_free();
            bound += entry.is_bound;
        }
    }
    {
        GrantTable& grants = domain.grants;
        Guard guard(grants.lock);
        for (u32 ref = 0; grants::covers(grants, ref); ref++)
            granted += grants::active_at(grants, ref).readers || grants::active_at(grants, ref).writers;
        handles = grants.maptrack_count;
        for (u32 handle = 0; handle < handles; handle++)
            mapped += grants::track_at(grants, handle).flags.load() != 0;
    }
    log_info("d%u: pages %lu channels %u pirqs %u bound %u granted %u handles %u mapped %u", domain.id.raw(), domain.total_pages, ports,
             pirqs, bound, granted, handles, mapped);
}

} // namespace

void domains::log_holdings()
{
    u64 pages = 0;
    for (DomainRef domain = next(0); domain; domain = next(domain->id.raw() + 1u)) {
        log_holdings_of(*domain);
        pages += domain->total_pages;
    }
    const MemoryStats memory = frame_allocator::stats();
    const u64 heap = heap::pages(), tables = arch::heap_tables();
    log_info("memory: free %lu domains %lu heap %lu tables %lu others %lu", memory.free, pages, heap, tables,
             memory.total - memory.free - pages - heap - tables);
}

} // namespace tenon
