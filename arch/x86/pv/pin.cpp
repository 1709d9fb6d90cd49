// Pins: references that keep a guest's tables typed without an entry pointing at them.
#include "pin.hpp"

namespace tenon::x86::pv {

Status pin(Domain& domain, Mfn mfn, unsigned level)
{
    if (!is_ram(mfn) || !frame_at(mfn).get(domain.id))
        return Error::inval;
    Frame& frame = frame_at(mfn);
    Status s = frame.type_word().pinned() ? Status(Error::inval) : get_table(domain, frame, level);
    if (!s) {
        frame.put();
        return s;
    }
    frame.type.fetch_or(TypeWord::pinned_bit, std::memory_order_acq_rel); // the pin keeps both references
    return success;
}

Status unpin(Domain& domain, Mfn mfn)
{
    if (!is_ram(mfn) || !frame_at(mfn).get(domain.id))
        return Error::inval;
    Frame& frame = frame_at(mfn);
    Status s = frame.type_word().pinned() ? put_table(domain, frame) : Status(Error::inval);
    if (s) {
        frame.type.fetch_and(~TypeWord::pinned_bit, std::memory_order_acq_rel);
        frame.put();
    }
    frame.put();
    return s;
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
