// Handles: what a domain has mapped of others.
#include "grant.hpp"

namespace tenon::grants {
namespace {

MapTrack& track_at(GrantTable& table, u32 handle)
{
    return table.maptrack[handle / GrantTable::tracks_per_frame][handle % GrantTable::tracks_per_frame];
}

/// One more piece of handles; false at the limit or without memory.
bool add_handles(GrantTable& table)
{
    auto* piece = make_array<MapTrack>(GrantTable::tracks_per_frame);
    if (!piece)
        return false;
    Guard guard(table.lock);
    u32 index = table.maptrack_count / GrantTable::tracks_per_frame;
    if (index >= table.max_maptrack_frames) {
        heap::free(piece);
        return table.maptrack_free != ~0u; // somebody else was faster
    }
    table.maptrack[index] = piece;
    for (u32 i = GrantTable::tracks_per_frame; i--;) { // the lowest is used first
        piece[i].frame = table.maptrack_free;
        table.maptrack_free = table.maptrack_count + i;
    }
    table.maptrack_count += GrantTable::tracks_per_frame;
    return true;
}

} // namespace

u32 take_handle(Domain& domain)
{
    GrantTable& table = domain.grants;
    do {
        Guard guard(table.lock);
        u32 handle = table.maptrack_free;
        if (handle != ~0u) {
            table.maptrack_free = track_at(table, handle).frame;
            table.maptrack_used++;
            return handle;
        }
    } while (add_handles(table));
    return ~0u;
}

void give_handle(Domain& domain, u32 handle)
{
    GrantTable& table = domain.grants;
    Guard guard(table.lock);
    track_at(table, handle).frame = table.maptrack_free;
    table.maptrack_free = handle;
    table.maptrack_used--;
}

MapTrack* find_track(Domain& domain, u32 handle)
{
    Guard guard(domain.grants.lock);
    return handle < domain.grants.maptrack_count ? &track_at(domain.grants, handle) : nullptr;
}

} // namespace tenon::grants
