// One grant entry, shared with a guest that may change it at any moment: read once as a whole, changed by compare-and-swap.
#include "grant.hpp"
#include <bit>
#include <tenon/mm/frame_table.hpp>

namespace tenon::grants {
namespace {

struct Found {
    grant_entry_v1* shared = nullptr; ///< nullptr: no such entry
    ActiveGrant* active = nullptr;
};

[[gnu::always_inline]] inline Found find(GrantTable& table, u32 ref)
{
    u32 frame = ref / GrantTable::entries_per_frame, index = ref % GrantTable::entries_per_frame;
    if (frame >= table.frame_count)
        return {};
    return {table.frames[frame].as<grant_entry_v1>() + index, table.active[frame] + index};
}

std::atomic_ref<u64> whole(grant_entry_v1& entry) { return std::atomic_ref(reinterpret_cast<u64&>(entry)); }

/// Marks the entry in use, and says which frame it grants. Under the granter's lock.
s16 pin(Domain& granter, u32 ref, DomainId user, bool write, Mfn& mfn)
{
    auto [shared, active] = find(granter.grants, ref);
    if (!shared || granter.is_dying())
        return GNTST_bad_gntref;
    bool in_use = active->readers || active->writers;
    u64 old = whole(*shared).load(std::memory_order_acquire);
    for (unsigned tries = 0; tries < 16; tries++) {
        auto entry = std::bit_cast<grant_entry_v1>(old);
        if ((entry.flags & GTF_type_mask) != GTF_permit_access || entry.domid != user.raw() || (in_use && active->user != user.raw()) ||
            (write && entry.flags & GTF_readonly))
            return GNTST_general_error;
        mfn = Mfn{in_use ? active->frame : entry.frame};
        entry.flags |= u16(GTF_reading | (write ? GTF_writing : 0));
        if (whole(*shared).compare_exchange_strong(old, std::bit_cast<u64>(entry))) {
            (write ? active->writers : active->readers)++;
            active->frame = u32(mfn.raw());
            active->user = user.raw();
            return GNTST_okay;
        }
    }
    return GNTST_general_error; // a granter that keeps changing its entry grants nothing
}

[[gnu::always_inline]] inline void unpin(Domain& granter, u32 ref, bool write)
{
    Guard guard(granter.grants.lock);
    auto [shared, active] = find(granter.grants, ref);
    if (!shared)
        return; // the granter is gone, but for its frames
    (write ? active->writers : active->readers)--;
    u16 ended = u16((active->writers ? 0 : GTF_writing) | (active->readers || active->writers ? 0 : GTF_reading));
    if (ended)
        std::atomic_ref(shared->flags).fetch_and(u16(~ended), std::memory_order_release);
}

} // namespace

namespace {

/// The entry is marked, but its frame is not to be had.
RARE_CALL s16 take_back(Domain& granter, u32 ref, bool write)
{
    unpin(granter, ref, write);
    return GNTST_general_error;
}

} // namespace

s16 begin_use(Domain& granter, u32 ref, DomainId user, bool write, Use& use)
{
    Mfn mfn;
    {
        Guard guard(granter.grants.lock);
        if (s16 status = pin(granter, ref, user, write, mfn))
            return status;
    }
    if (Frame* frame = get_frame(mfn, granter.id)) {
        if (!write || arch::get_writable(*frame)) {
            use = {&granter, ref, write, mfn};
            return GNTST_okay;
        }
        frame->put();
    }
    return take_back(granter, ref, write);
}

void end_use(const Use& use)
{
    unpin(*use.granter, use.ref, use.write); // before the frame, which keeps the granter
    Frame& frame = frame_at(use.mfn);
    if (use.write)
        arch::put_writable(frame, false); // a mapping's entry had a reference of its own, and has left its stamp
    frame.put();
}

s16 swap_entries(Domain& domain, u32 a, u32 b)
{
    Guard guard(domain.grants.lock);
    Found first = find(domain.grants, a), second = find(domain.grants, b);
    if (!first.shared || !second.shared)
        return GNTST_bad_gntref;
    if (a == b)
        return GNTST_okay;
    for (ActiveGrant* active : {first.active, second.active})
        if (active->readers || active->writers)
            return GNTST_eagain;
    u64 value = whole(*first.shared).load();
    whole(*first.shared).store(whole(*second.shared).exchange(value));
    return GNTST_okay;
}

} // namespace tenon::grants
