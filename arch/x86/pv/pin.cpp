// Pins: references that keep a guest's tables typed without an entry pointing at them.
#include "pin.hpp"

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
    TRY(put_table(domain, *frame));
    frame->type.fetch_and(~TypeWord::pinned_bit, std::memory_order_acq_rel);
    frame->put();
    return success;
}

Status drop_pins(Domain& domain)
{
    // A pass over the domain's frames; the cursor holds a reference, so that it stays in the list.
    unsigned steps = 0;
    Status result = success;
    Frame* frame = nullptr;
    while (result.ok() && (frame = domains::next_page(domain, frame))) {
        TypeWord word = frame->type_word();
        if (word.pinned())
            result = unpin(domain, mfn_of(*frame));
        else if (word.partial() && word.count() == 0)
            result = release_partial(domain, *frame);
        if (result.ok() && ++steps % 1024 == 0 && arch::should_yield())
            result = Error::restart;
    }
    if (frame)
        frame->put();
    return result;
}

} // namespace tenon::x86::pv
