// Pins: references that keep a guest's tables typed without an entry pointing at them.
#include "update.hpp"
#include <tenon/arch/guest.hpp>

namespace tenon::x86::pv {

Status pin(Domain& domain, Mfn mfn, unsigned level)
{
    FrameRef frame = TRY(hold(mfn, domain.id));
    if (frame->type_word().pinned())
        return Error::inval;
    TRY(get_table(domain, *frame, level));
    frame.keep().type.fetch_or(TypeWord::pinned_bit, std::memory_order_acq_rel); // the pin has both references
    return success;
}

Status unpin(Domain& domain, Mfn mfn)
{
    const FrameRef frame = TRY(hold(mfn, domain.id));
    if (!frame->type_word().pinned())
        return Error::inval;
    TRY(drop_table(domain, mfn));
    frame->type.fetch_and(~TypeWord::pinned_bit, std::memory_order_acq_rel);
    return success;
}

Status drop_pin(Domain& domain, Frame& frame)
{
    return frame.type_word().pinned() ? unpin(domain, mfn_of(frame)) : release_partial(domain, frame);
}

} // namespace tenon::x86::pv
