// Handles: what a domain has mapped of others. Mapping a granted frame, and undoing it. No lock is held while page tables change; a
// handle belongs to who works on it.
#include "grant.hpp"

namespace tenon::grants {
namespace {

constexpr u16 kinds = GNTMAP_host_map | GNTMAP_device_map;

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
    for (u32 i = GrantTable::tracks_per_frame; i--;) // the lowest is used first
        piece[i].frame = std::exchange(table.maptrack_free, table.maptrack_count + i);
    table.maptrack_count.fetch_add(GrantTable::tracks_per_frame, std::memory_order_release); // pairs with find_track()
    return true;
}

/// A handle of this domain's, not yet visible; ~0 when there is none.
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

/// The record; nullptr when the handle was never given out.
MapTrack* find_track(GrantTable& table, u32 handle)
{
    return handle < table.maptrack_count.load(std::memory_order_acquire) ? &track_at(table, handle) : nullptr;
}

Use use_of(const MapTrack& track, u16 flags)
{
    Mfn mfn{track.frame};
    return {domains::owner_of(frame_at(mfn)), track.ref, !(flags & GNTMAP_readonly), mfn};
}

} // namespace

Domain* PeerCache::find(u16 id)
{
    if (id == dom_self.raw() || id == self_.id.raw())
        return &self_;
    if (!last_ || last_->id.raw() != id)
        last_ = domains::find(DomainId{id});
    return last_ && !last_->is_dying() ? &*last_ : nullptr;
}

void map(Vcpu& vcpu, PeerCache& peers, gnttab_map_grant_ref& op)
{
    Domain& domain = vcpu.domain;
    auto refuse = [&](s16 status) { op.status = status; };
    if (!(op.flags & kinds))
        return refuse(GNTST_bad_gntref);
    Domain* granter = peers.find(op.dom);
    if (!granter)
        return refuse(GNTST_bad_domain);
    u32 handle = take_handle(domain);
    if (handle == ~0u)
        return refuse(GNTST_no_space);
    MapTrack& track = *find_track(domain.grants, handle);

    Use use;
    s16 status = begin_use(*granter, op.ref, domain.id, !(op.flags & GNTMAP_readonly), use);
    if (status == GNTST_okay && op.flags & GNTMAP_host_map) {
        status = arch::map_grant(vcpu, op.host_addr, op.flags, use.mfn, granter->id);
        if (status != GNTST_okay)
            end_use(use);
    }
    if (status != GNTST_okay) {
        give_handle(domain, handle);
        return refuse(status);
    }
    track.ref = op.ref;
    track.frame = u32(use.mfn.raw());
    track.flags.store(u16(op.flags), std::memory_order_release); // now the handle is good
    op.handle = handle;
    op.dev_bus_addr = base_of(use.mfn).raw();
    op.status = GNTST_okay;
}

Unmap start_unmap(Vcpu& vcpu, gnttab_unmap_grant_ref& op)
{
    op.status = GNTST_bad_handle;
    MapTrack* track = find_track(vcpu.domain.grants, op.handle);
    u16 flags = track ? track->flags.exchange(0, std::memory_order_acquire) : 0; // ours alone from here
    if (!flags)
        return {};
    op.status = GNTST_okay;
    u16 left = flags;
    if (op.host_addr && left & GNTMAP_host_map) {
        op.status = arch::unmap_grant(vcpu, op.host_addr, flags, Mfn{track->frame});
        if (op.status == GNTST_okay)
            left &= u16(~GNTMAP_host_map);
    }
    if (op.status == GNTST_okay && op.dev_bus_addr && left & GNTMAP_device_map) {
        if (frame_of(MachineAddr{op.dev_bus_addr}).raw() == track->frame)
            left &= u16(~GNTMAP_device_map);
        else
            op.status = GNTST_general_error;
    }
    if (left & kinds) {
        track->flags.store(left, std::memory_order_release);
        return {};
    }
    return {op.handle, use_of(*track, flags), true};
}

void finish_unmap(Domain& domain, const Unmap& unmap)
{
    if (!unmap.last)
        return;
    end_use(unmap.use);
    give_handle(domain, unmap.handle);
}

Status unmap_all(Domain& domain)
{
    GrantTable& table = domain.grants;
    for (; table.unmap_position < table.maptrack_count; table.unmap_position++) {
        if (table.unmap_position % 64 == 63 && table.maptrack_used && arch::should_yield())
            return Error::restart;
        MapTrack& track = *find_track(table, table.unmap_position);
        if (u16 flags = track.flags.exchange(0)) // its page tables are never loaded again: no flush
            finish_unmap(domain, {table.unmap_position, use_of(track, flags), true});
    }
    return success;
}

} // namespace tenon::grants
