// One grant entry, shared with a guest that may change it at any moment: read once as a whole, changed by compare-and-swap. Inlined where
// grants are used, as it is most of what such a use costs.
#pragma once
#include "grant.hpp"
#include <cstddef>
#include <tenon/mm/frame_table.hpp>

namespace tenon::grants {

/// An entry, as one word: flags, then who may use it, then the frame.
using EntryWord = std::atomic<u64>;
inline constexpr unsigned entry_user_shift = 16, entry_frame_shift = 32;
static_assert(offsetof(grant_entry_v1, flags) == 0 && offsetof(grant_entry_v1, domid) * 8 == entry_user_shift &&
              offsetof(grant_entry_v1, frame) * 8 == entry_frame_shift && sizeof(grant_entry_v1) == sizeof(EntryWord));

/// Under the table's lock, for a reference that the table covers.
[[gnu::always_inline]] inline bool covers(const GrantTable& table, u32 ref)
{
    return ref / GrantTable::entries_per_frame < table.frame_count;
}
[[gnu::always_inline]] inline EntryWord& entry_at(GrantTable& table, u32 ref)
{
    return table.frames[ref / GrantTable::entries_per_frame].as<EntryWord>()[ref % GrantTable::entries_per_frame];
}
[[gnu::always_inline]] inline ActiveGrant& active_at(GrantTable& table, u32 ref)
{
    return table.active[ref / GrantTable::entries_per_frame][ref % GrantTable::entries_per_frame];
}

/// The record of a handle that was given out.
inline MapTrack& track_at(GrantTable& table, u32 handle)
{
    return table.maptrack[handle / GrantTable::tracks_per_frame][handle % GrantTable::tracks_per_frame];
}

/// Marks the entry in use, and says which frame it grants. Under the granter's lock.
[[gnu::always_inline]] inline s16 pin(Domain& granter, u32 ref, DomainId user, bool write, Mfn& mfn)
{
    if (!covers(granter.grants, ref) || granter.is_dying()) [[unlikely]]
        return GNTST_bad_gntref;
    EntryWord& entry = entry_at(granter.grants, ref);
    ActiveGrant& active = active_at(granter.grants, ref);
    const bool in_use = active.readers | active.writers;
    const u64 asked = GTF_type_mask | u64{0xffff} << entry_user_shift | u64{write} * GTF_readonly;
    const u64 wanted = GTF_permit_access | u64{user.raw()} << entry_user_shift;
    const u64 marks = GTF_reading | u64{write} * GTF_writing;
    u64 old = entry.load(std::memory_order_acquire);
    for (unsigned tries = 0; tries < 16; tries++) {
        if ((old & asked) != wanted || (in_use && active.user != user.raw())) [[unlikely]]
            return GNTST_general_error;
        if (entry.compare_exchange_strong(old, old | marks)) [[likely]] {
            if (!in_use) {
                active.frame = u32(old >> entry_frame_shift);
                active.user = user.raw();
            }
            mfn = Mfn{active.frame};
            (write ? active.writers : active.readers)++;
            return GNTST_okay;
        }
    }
    return GNTST_general_error; // a granter that keeps changing its entry grants nothing
}

/// The end of a use.
[[gnu::always_inline]] inline void unpin(Domain& granter, u32 ref, bool write)
{
    Guard guard(granter.grants.lock);
    if (!covers(granter.grants, ref)) [[unlikely]]
        return; // the granter is gone, but for its frames
    ActiveGrant& active = active_at(granter.grants, ref);
    (write ? active.writers : active.readers)--;
    if (active.writers)
        return;
    const u64 ended = active.readers ? GTF_writing : GTF_writing | GTF_reading;
    entry_at(granter.grants, ref).fetch_and(~ended, std::memory_order_release);
}

/// Checks the entry for `user`, marks it in use and takes `count` references of its frame, and of the writable type when `write`.
[[gnu::always_inline]] inline s16 begin_use(Domain& granter, u32 ref, DomainId user, bool write, u32 count, Frame*& frame)
{
    Mfn mfn;
    {
        Guard guard(granter.grants.lock);
        if (s16 status = pin(granter, ref, user, write, mfn))
            return status;
    }
    if (frame_table::covers(mfn)) [[likely]] {
        frame = &frame_at(mfn);
        if (frame->get(granter.id, count)) [[likely]] {
            if (!write || arch::get_writable(*frame, count)) [[likely]]
                return GNTST_okay;
            frame->put(count);
        }
    }
    return take_back(granter, ref, write);
}

/// Drops what a use holds. Translations are gone, or there were none: a mapping is flushed first.
[[gnu::always_inline]] inline void end_use(Domain& granter, u32 ref, bool write, u32 count, Frame& frame)
{
    unpin(granter, ref, write); // before the frame, which keeps the granter
    if (write)
        arch::put_writable(frame, false, count);
    frame.put(count);
}

} // namespace tenon::grants
