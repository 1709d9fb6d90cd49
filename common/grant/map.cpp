// Handles: what a domain has mapped of others. Mapping a granted frame, and undoing it. No lock is held while page tables change; a
// handle belongs to who works on it.
#include "entry.hpp"

namespace tenon::grants {
namespace {

constexpr u16 kinds = GNTMAP_host_map | GNTMAP_device_map;

/// The record; nullptr when the handle was never given out.
MapTrack* find_track(GrantTable& table, u32 handle)
{
    return handle < table.maptrack_count.load(std::memory_order_acquire) ? &track_at(table, handle) : nullptr;
}

/// One more piece of handles; false at the limit or without memory. Under the table's lock.
RARE_CALL bool add_handles(GrantTable& table)
{
    u32 index = table.maptrack_count / GrantTable::tracks_per_frame;
    auto* piece = index < table.max_maptrack_frames ? make_array<MapTrack>(GrantTable::tracks_per_frame) : nullptr;
    if (!piece)
        return false;
    table.maptrack[index] = piece;
    for (u32 i = GrantTable::tracks_per_frame; i--;) // the lowest is used first
        piece[i].next = std::exchange(table.maptrack_free, table.maptrack_count + i);
    table.maptrack_count.fetch_add(GrantTable::tracks_per_frame, std::memory_order_release); // pairs with find_track()
    return true;
}

/// A handle of this domain's, not yet visible; ~0 when there is none.
[[gnu::noinline]] u32 take_from_list(GrantTable& table)
{
    Guard guard(table.lock);
    if (table.maptrack_free == ~0u && !add_handles(table)) [[unlikely]]
        return ~0u;
    const u32 handle = table.maptrack_free;
    table.maptrack_free = track_at(table, handle).next;
    return handle;
}
[[gnu::always_inline]] inline u32 take_handle(Vcpu& vcpu)
{
    const u32 spare = std::exchange(vcpu.spare_handle, ~0u);
    return spare != ~0u ? spare : take_from_list(vcpu.domain.grants);
}

/// Handles that are linked from `first` to `last`.
[[gnu::noinline]] void give_to_list(GrantTable& table, u32 first, MapTrack& last)
{
    Guard guard(table.lock);
    last.next = table.maptrack_free;
    table.maptrack_free = first;
}
[[gnu::always_inline]] inline void give_handles(Vcpu& vcpu, u32 first, MapTrack& first_track, MapTrack& last)
{
    if (&first_track == &last && vcpu.spare_handle == ~0u)
        vcpu.spare_handle = first;
    else
        give_to_list(vcpu.domain.grants, first, last);
}

RARE_CALL s16 give_up(GrantTable& table, u32 handle, s16 status)
{
    give_to_list(table, handle, track_at(table, handle));
    return status;
}

/// Drops what a handle holds, and a cleared entry with it.
[[gnu::always_inline]] inline void end_mapping(const MapTrack& track, bool write, u32 uses)
{
    Frame& frame = frame_at(Mfn{track.frame});
    end_use(*domains::owner_of(frame), track.ref, write, uses, frame);
}

/// What a page-table entry holds; a device goes on with the mapping.
RARE_CALL void drop_for_entry(Frame& frame, bool write, bool mapped)
{
    if (write)
        arch::put_writable(frame, mapped);
    frame.put();
}

bool may_write(u16 flags) { return !(flags & GNTMAP_readonly); }

} // namespace

Domain* PeerCache::find_other(u16 id)
{
    if (!last_ || last_->id.raw() != id)
        last_ = domains::find(DomainId{id});
    return last_ && !last_->is_dying() ? &*last_ : nullptr;
}

Mapping map(Vcpu& vcpu, PeerCache& peers, const gnttab_map_grant_ref& op)
{
    Domain& domain = vcpu.domain;
    if (!(op.flags & kinds)) [[unlikely]]
        return {GNTST_bad_gntref};
    Domain* granter = peers.find(op.dom);
    if (!granter) [[unlikely]]
        return {GNTST_bad_domain};
    const u32 handle = take_handle(vcpu);
    if (handle == ~0u) [[unlikely]]
        return {GNTST_no_space};
    const bool write = may_write(u16(op.flags));
    Frame* frame = nullptr;
    if (s16 status = begin_use(*granter, op.ref, domain.id, write, 2, frame)) // for the handle and for an entry
        return {give_up(domain.grants, handle, status)};
    const Mfn mfn = mfn_of(*frame);
    if (!(op.flags & GNTMAP_host_map)) [[unlikely]]
        drop_for_entry(*frame, write, false);
    else if (s16 status = arch::map_grant(vcpu, op.host_addr, op.flags, mfn)) {
        end_use(*granter, op.ref, write, 2, *frame);
        return {give_up(domain.grants, handle, status)};
    }
    MapTrack& track = track_at(domain.grants, handle);
    track.ref = op.ref;
    track.frame = u32(mfn.raw());
    track.flags.store(u16(op.flags), std::memory_order_release); // now the handle is good
    return {GNTST_okay, handle, mfn};
}

s16 Unmapping::clear(const gnttab_unmap_grant_ref& op)
{
    MapTrack* track = find_track(vcpu_.domain.grants, op.handle);
    const u16 flags = track ? track->flags.exchange(0, std::memory_order_acquire) : 0; // ours alone from here
    if (!flags) [[unlikely]]
        return GNTST_bad_handle;
    s16 status = GNTST_okay;
    u16 left = flags;
    if (op.host_addr && left & GNTMAP_host_map) {
        status = arch::unmap_grant(vcpu_, op.host_addr, flags, Mfn{track->frame});
        if (status == GNTST_okay)
            left &= u16(~GNTMAP_host_map);
    }
    if (left & GNTMAP_device_map && op.dev_bus_addr && status == GNTST_okay) [[unlikely]] {
        if (frame_of(MachineAddr{op.dev_bus_addr}).raw() == track->frame)
            left &= u16(~GNTMAP_device_map);
        else
            status = GNTST_general_error;
    }
    const bool cleared = (flags ^ left) & GNTMAP_host_map;
    if (left & kinds) [[unlikely]] {
        if (cleared)
            drop_for_entry(frame_at(Mfn{track->frame}), may_write(flags), true); // the flush comes
        track->flags.store(left, std::memory_order_release);
        return status;
    }
    track->uses = 1 + cleared;
    track->may_write = may_write(flags);
    track->next = std::exchange(newest_, op.handle);
    ended_ = track;
    return status;
}

void Unmapping::finish()
{
    arch::flush_after_unmap(vcpu_); // once for all of them
    MapTrack* const first = std::exchange(ended_, nullptr);
    const u32 handle = std::exchange(newest_, ~0u);
    if (!first)
        return;
    for (MapTrack* track = first;; track = &track_at(vcpu_.domain.grants, track->next)) {
        end_mapping(*track, track->may_write, track->uses);
        if (track->next == ~0u)
            return give_handles(vcpu_, handle, *first, *track);
    }
}

Status unmap_all(Domain& domain)
{
    GrantTable& table = domain.grants;
    for (; table.unmap_position < table.maptrack_count; table.unmap_position++) {
        if (table.unmap_position % 64 == 63 && arch::should_yield())
            return Error::restart;
        MapTrack& track = *find_track(table, table.unmap_position);
        if (u16 flags = track.flags.exchange(0)) { // its page tables are never loaded again: no flush
            end_mapping(track, may_write(flags), 1);
            give_to_list(table, table.unmap_position, track);
        }
    }
    return success;
}

} // namespace tenon::grants
