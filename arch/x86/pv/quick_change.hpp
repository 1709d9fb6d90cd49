// The usual change of a level-1 entry without a single call. Who changes an entry so, and leaves all that is unusual by a call that is its
// last act, has no register to save.
#pragma once
#include "update.hpp"

namespace tenon::x86::pv {

struct QuickChange {
    bool done = false;     ///< else something is unusual, and the entry is as it was
    Frame* drop = nullptr; ///< a reference that is to be dropped when the lock is given back
};

/// Maps a page of the domain's own where there was none, or takes a mapping away. The mm_lock is held.
[[gnu::always_inline]] inline QuickChange change_quickly(Domain& domain, Pte* at, Pte value)
{
    const Pte old = *at;
    if (!value.is_present()) {
        const FrameRecords records;
        store_l1_entry(at, value, AdBits::replace, nullptr);
        const u64 position = records.position(old);
        if (!old.is_present() || !records.covers(position) || records.at(position).owner == dom_io.raw())
            return {true};
        if (old.is_writable())
            put_writable(records.at(position));
        return {true, &records.at(position)};
    }
    const FrameRecords records;
    const u64 position = records.position(value);
    if (old.is_present() || value.raw & domain.arch.reserved_pte_bits || !records.covers(position)) [[unlikely]]
        return {};
    Frame& frame = records.at(position);
    if (!frame.try_get()) [[unlikely]]
        return {};
    if (frame.owner != domain.id.raw() || (value.is_writable() && !try_get_writable(frame))) [[unlikely]]
        return {false, &frame};
    store_l1_entry(at, {(value.raw | Pte::user) & ~Pte::global}, AdBits::replace, nullptr);
    return {true};
}

} // namespace tenon::x86::pv
