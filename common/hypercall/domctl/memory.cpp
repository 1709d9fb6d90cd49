// domctl: a domain's memory limit, and what each of its frames is.
#include "../memory/quota.hpp"
#include "request.hpp"

namespace tenon::domctls {

CallResult max_mem(Request& r)
{
    constexpr u64 kib_per_page = page_size / 1024;
    Guard quota(hypercall::memory::quota_lock);
    Guard guard(r.target->pages_lock);
    r.target->max_pages = r.op.u.max_mem.max_memkb / kib_per_page;
    return s64{0};
}

/// For each frame of the list: its page table level and whether it is pinned. A frame that is not the domain's reads as none.
CallResult get_frame_info(Request& r)
{
    constexpr u64 most = 1024;
    auto& request = r.op.u.getpageframeinfo3;
    if (request.num > most)
        return Error::toobig;
    GuestPtr<u64> list(request.array);
    for (u64 i = 0; i < request.num; i++) {
        Mfn mfn{TRY((list + i).read())};
        u64 answer = XEN_DOMCTL_PFINFO_XTAB;
        if (frame_table::covers(mfn) && is_ram(mfn) && frame_at(mfn).get(r.target->id)) {
            TypeWord word = frame_at(mfn).type_word();
            answer = XEN_DOMCTL_PFINFO_NOTAB;
            if (is_page_table(word.type()) && word.count())
                answer = u64{level_of(word.type())} << XEN_DOMCTL_PFINFO_LTAB_SHIFT;
            if (word.pinned())
                answer |= XEN_DOMCTL_PFINFO_LPINTAB;
            frame_at(mfn).put();
        }
        TRY((list + i).write(answer));
    }
    return s64{0};
}

/// A PV guest runs on its own page tables: there is no shadow to turn off, and no log of dirty frames yet.
CallResult shadow_op(Request& r)
{
    if (r.op.u.shadow_op.op != XEN_DOMCTL_SHADOW_OP_OFF)
        return Error::notsup;
    return s64{0};
}

} // namespace tenon::domctls
