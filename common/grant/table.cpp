// The tables behind a domain's grants: made, grown, freed.
#include "grant.hpp"
#include <utility>

namespace tenon::grants {
namespace {

void release_arrays(GrantTable& table)
{
    for (u32 i = 0; table.active && i < table.max_frames; i++)
        heap::free(table.active[i]);
    for (u32 i = 0; table.maptrack && i < table.max_maptrack_frames; i++)
        heap::free(table.maptrack[i]);
    heap::free(std::exchange(table.frames, nullptr));
    heap::free(std::exchange(table.active, nullptr));
    heap::free(std::exchange(table.maptrack, nullptr));
}

} // namespace

Status init(Domain& domain, u32 max_frames, u32 max_maptrack_frames)
{
    constexpr u32 most = 1 << 16;
    GrantTable& table = domain.grants;
    if (max_frames == 0 || max_frames > most || max_maptrack_frames > most)
        return Error::inval;
    table.frames = make_array<CommPage>(max_frames);
    table.active = make_array<ActiveGrant*>(max_frames);
    table.maptrack = make_array<MapTrack*>(max_maptrack_frames + 1); // 0 is a valid limit
    if (!table.frames || !table.active || !table.maptrack) {
        release_arrays(table);
        return Error::nomem;
    }
    table.max_frames = max_frames;
    table.max_maptrack_frames = max_maptrack_frames;
    return grow(domain, 1);
}

Status grow(Domain& domain, u32 count)
{
    GrantTable& table = domain.grants;
    if (count > table.max_frames)
        return Error::inval;
    while (table.frame_count < count) {
        // Memory comes without the lock; of two that grow at once, one gives its frame back.
        CommPage page = domains::add_comm_page(domain);
        auto* active = make_array<ActiveGrant>(GrantTable::entries_per_frame);
        if (page && active) {
            Guard guard(table.lock);
            u32 at = table.frame_count;
            if (at < count && table.frames) {
                table.active[at] = std::exchange(active, nullptr);
                table.frames[at] = std::exchange(page, CommPage{});
                table.frame_count = at + 1;
                continue;
            }
        }
        bool complete = page && active;
        heap::free(active);
        free_comm_page(page);
        if (!complete || !table.frames)
            return Error::nomem;
    }
    return success;
}

Result<Mfn> shared_frame(Domain& domain, u32 index)
{
    if (index >= domain.grants.max_frames)
        return Error::inval;
    TRY(grow(domain, index + 1));
    Guard guard(domain.grants.lock);
    if (index >= domain.grants.frame_count)
        return Error::inval; // the domain dies
    return domain.grants.frames[index].mfn;
}

void free_tables(Domain& domain)
{
    GrantTable& table = domain.grants;
    u32 count;
    {
        Guard guard(table.lock); // from here on nobody finds an entry
        count = std::exchange(table.frame_count, 0);
        table.maptrack_count = 0;
        table.maptrack_free = ~0u;
    }
    for (u32 i = 0; i < count; i++)
        free_comm_page(table.frames[i]);
    release_arrays(table);
    table.max_frames = table.max_maptrack_frames = 0;
}

} // namespace tenon::grants
