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
    return drop_pin(domain, *frame);
}

Status drop_pin(Domain& domain, Frame& frame)
{
    if (!frame.type_word().pinned())
        return release_partial(domain, frame);
    TRY(drop_table(domain, mfn_of(frame)));
    frame.type.fetch_and(~TypeWord::pinned_bit, std::memory_order_acq_rel);
    return success;
}

} // namespace tenon::x86::pv
