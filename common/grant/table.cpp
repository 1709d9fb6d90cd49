// The tables behind a domain's grants: made, grown, freed; and what is rarely done to an entry.
#include "entry.hpp"
#include <utility>

namespace tenon::grants {
Status init(Domain& domain, u32 max_frames, u32 max_maptrack_frames)
{
    constexpr u32 most = 1 << 16;
    GrantTable& table = domain.grants;
    if (max_frames == 0 || max_frames > most || max_maptrack_frames > most)
        return Error::inval;
    table.frames = make_array<CommPage>(max_frames);
    table.active = make_array<ActiveGrant*>(max_frames);
    table.maptrack = make_array<MapTrack*>(max_maptrack_frames);
    if (!table.frames || !table.active || !table.maptrack)
        return Error::nomem;
    table.max_frames = max_frames;
    table.max_maptrack_frames = max_maptrack_frames;
    return grow(domain, 1);
}

Status grow(Domain& domain, u32 count)
{
    GrantTable& table = domain.grants;
    for (;;) {
        Guard guard(table.lock); // for one frame: others wait for it with interrupts off
        if (count > table.max_frames)
            return Error::inval;
        if (table.frame_count >= count)
            return success;
        auto* active = make_array<ActiveGrant>(GrantTable::entries_per_frame);
        CommPage page = active ? domains::add_comm_page(domain) : CommPage();
        if (!page) {
            heap::free(active);
            return Error::nomem;
        }
        table.active[table.frame_count] = active;
        table.frames[table.frame_count++] = page;
    }
}

Result<Mfn> shared_frame(Domain& domain, u32 index)
{
    TRY(grow(domain, index + 1));
    Guard guard(domain.grants.lock);
    if (index >= domain.grants.frame_count)
        return Error::inval; // the domain dies
    return domain.grants.frames[index].mfn;
}

void free_tables(Domain& domain)
{
    GrantTable& table = domain.grants;
    u32 frames, pieces;
    {
        Guard guard(table.lock); // from here on nobody finds an entry or a handle, nor makes more of them
        table.max_frames = table.max_maptrack_frames = 0;
        frames = std::exchange(table.frame_count, 0);
        pieces = table.maptrack_count.exchange(0) / GrantTable::tracks_per_frame;
        table.maptrack_free = ~0u;
    }
    for (u32 i = 0; i < frames; i++) {
        free_comm_page(table.frames[i]);
        heap::free(table.active[i]);
    }
    for (u32 i = 0; i < pieces; i++)
        heap::free(table.maptrack[i]);
    heap::free(std::exchange(table.frames, nullptr));
    heap::free(std::exchange(table.active, nullptr));
    heap::free(std::exchange(table.maptrack, nullptr));
}

s16 swap_entries(Domain& domain, u32 a, u32 b)
{
    GrantTable& table = domain.grants;
    Guard guard(table.lock);
    if (!covers(table, a) || !covers(table, b))
        return GNTST_bad_gntref;
    if (a == b)
        return GNTST_okay;
    for (u32 ref : {a, b})
        if (active_at(table, ref).readers || active_at(table, ref).writers)
            return GNTST_eagain;
    u64 value = entry_at(table, a).load();
    entry_at(table, a).store(entry_at(table, b).exchange(value));
    return GNTST_okay;
}

s16 take_back(Domain& granter, u32 ref, bool write)
{
    unpin(granter, ref, write);
    return GNTST_general_error;
}

} // namespace tenon::grants
