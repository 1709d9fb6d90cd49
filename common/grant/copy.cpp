// Copying between frames: each side is a grant, or a frame of the caller's.
#include "entry.hpp"
#include <tenon_arch/words.hpp>

namespace tenon::grants {
namespace {

/// One side of a copy, with what it holds: references of its frame, the use of a grant.
struct Side {
    Domain* granter = nullptr; ///< of a grant
    u32 ref = 0;
    Frame* frame = nullptr;
};

[[gnu::always_inline]] inline s16 open(Side& side, Domain& domain, PeerCache& peers, const gnttab_copy_ptr& place, bool is_grant,
                                       bool write)
{
    if (is_grant) {
        side.granter = peers.find(place.domid);
        side.ref = place.u.ref;
        return side.granter ? begin_use(*side.granter, side.ref, domain.id, write, 1, side.frame) : s16{GNTST_bad_domain};
    }
    if (place.domid != dom_self.raw() && place.domid != domain.id.raw())
        return GNTST_permission_denied; // another's frame by its number
    side.frame = get_frame(Mfn{place.u.gmfn}, domain.id);
    if (!side.frame)
        return GNTST_bad_page;
    if (!write || arch::get_writable(*side.frame))
        return GNTST_okay;
    side.frame->put();
    return GNTST_permission_denied;
}

[[gnu::always_inline]] inline void close(const Side& side, bool write)
{
    if (side.granter)
        return end_use(*side.granter, side.ref, write, 1, *side.frame);
    if (write)
        arch::put_writable(*side.frame, false); // nothing mapped it
    side.frame->put();
}

/// The two may be in one frame.
[[gnu::always_inline]] inline void copy_bytes(u8* to, const u8* from, u32 length)
{
    if (length % 8 == 0 && u64(to - from) >= length) [[likely]]
        x86::copy_words(to, from, length / 8);
    else
        __builtin_memmove(to, from, length);
}

} // namespace

s16 copy(Domain& domain, PeerCache& peers, const gnttab_copy& op)
{
    if (op.source.offset + op.len > page_size || op.dest.offset + op.len > page_size ||
        op.flags & ~(GNTCOPY_source_gref | GNTCOPY_dest_gref)) [[unlikely]]
        return GNTST_bad_copy_arg;
    Side source, dest;
    if (s16 status = open(source, domain, peers, op.source, op.flags & GNTCOPY_source_gref, false))
        return status;
    s16 status = open(dest, domain, peers, op.dest, op.flags & GNTCOPY_dest_gref, true);
    if (status == GNTST_okay) {
        {
            FrameView<u8> from(*source.frame), to(*dest.frame);
            copy_bytes(to.get() + op.dest.offset, from.get() + op.source.offset, op.len);
        }
        close(dest, true);
    }
    close(source, false);
    return status;
}

} // namespace tenon::grants
