// Copying between frames: each side is a grant, or a frame of the caller's.
#include "grant.hpp"

namespace tenon::grants {
namespace {

/// One side of a copy; gives back what it holds.
class Side : Pinned {
public:
    ~Side()
    {
        if (use_.granter)
            end_use(use_);
        if (write_)
            arch::put_writable(*frame_, false); // nothing mapped it
        if (frame_)
            frame_->put();
    }
    s16 open_grant(Domain* granter, u32 ref, Domain& user, bool write)
    {
        return granter ? begin_use(*granter, ref, user.id, write, use_) : s16{GNTST_bad_domain};
    }
    s16 open_own(Domain& domain, u64 number, bool write)
    {
        frame_ = get_frame(Mfn{number}, domain.id);
        write_ = frame_ && write && arch::get_writable(*frame_);
        return !frame_ ? GNTST_bad_page : write_ == write ? GNTST_okay : GNTST_permission_denied;
    }
    Mfn mfn() const { return use_.granter ? use_.mfn : mfn_of(*frame_); }

private:
    Use use_;
    Frame* frame_ = nullptr;
    bool write_ = false;
};

[[gnu::always_inline]] inline s16 open(Side& side, Domain& domain, PeerCache& peers, const gnttab_copy_ptr& place, bool is_grant,
                                       bool write)
{
    if (is_grant)
        return side.open_grant(peers.find(place.domid), place.u.ref, domain, write);
    if (place.domid != dom_self.raw() && place.domid != domain.id.raw())
        return GNTST_permission_denied; // another's frame by its number
    return side.open_own(domain, place.u.gmfn, write);
}

} // namespace

s16 copy(Domain& domain, PeerCache& peers, const gnttab_copy& op)
{
    if (op.source.offset + op.len > page_size || op.dest.offset + op.len > page_size ||
        op.flags & ~(GNTCOPY_source_gref | GNTCOPY_dest_gref))
        return GNTST_bad_copy_arg;
    Side source, dest;
    if (s16 status = open(source, domain, peers, op.source, op.flags & GNTCOPY_source_gref, false))
        return status;
    if (s16 status = open(dest, domain, peers, op.dest, op.flags & GNTCOPY_dest_gref, true))
        return status;
    FrameView<u8> from(source.mfn()), to(dest.mfn());
    __builtin_memmove(to.get() + op.dest.offset, from.get() + op.source.offset, op.len); // they may be one frame
    return GNTST_okay;
}

} // namespace tenon::grants
