// exchange: the caller's frames for others of another shape, as device drivers need them (contiguous, below an address).
// The lists are worked off in chunks of the larger extent; a chunk is exchanged wholly or stays as it was.
#include "operations.hpp"
#include <tenon/arch/cpu.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon::hypercall::memory {
namespace {

struct Extents {
    GuestPtr<u64> list;
    unsigned order;
};

/// A chunk being exchanged. Its destructor puts back whatever is still there to be put back.
class Chunk : Pinned {
public:
    Chunk(Domain& domain, unsigned order) : domain_(domain), frames_(bit(order)), old_(make_array<u64>(3 * frames_)) {}
    ~Chunk()
    {
        for (u64 i = 0; i < held_; i++)
            release(Mfn{old_[i]});
        for (u64 i = 0; i < taken_; i++)
            i < added_ ? give_extent(domain_, Mfn{fresh(i)}, order_) : put_frames(Mfn{fresh(i)}, bit(order_));
        heap::free(old_);
    }
    Status exchange(Extents in, Extents out, unsigned address_bits);

private:
    static constexpr u32 allocation = 1 | Frame::allocated_bit;
    static void release(Mfn mfn) { frame_at(mfn).refs.store(allocation, std::memory_order_release); }
    Status hold(Mfn mfn);

    u64& fresh(u64 i) { return old_[frames_ + i]; }
    u64& pfn(u64 i) { return old_[2 * frames_ + i]; }

    Domain& domain_;
    const u64 frames_;
    u64* const old_;                       ///< the frames that go; behind them the extents that come, and where they are to appear
    u64 held_ = 0, taken_ = 0, added_ = 0; ///< old frames out of use; fresh extents, and how many of them are the domain's already
    unsigned order_ = 0;
};

/// Takes a frame out of use. When its only reference is its allocation it goes to no references at all, and no one can take a new one: a
/// frame that is still mapped, pinned or granted refuses.
Status Chunk::hold(Mfn mfn)
{
    Frame* frame = get_frame(mfn, domain_.id);
    if (!frame)
        return Error::inval;
    u32 ours_and_the_allocation = allocation + 1;
    if (frame->type_word().count() == 0 && frame->refs.compare_exchange_strong(ours_and_the_allocation, 0))
        return success;
    frame->put();
    return Error::busy;
}

Status Chunk::exchange(Extents in, Extents out, unsigned address_bits)
{
    if (!old_)
        return Error::nomem;
    order_ = out.order;
    for (; held_ < frames_; held_++) {
        const u64 within = held_ % bit(in.order);
        old_[held_] = within ? old_[held_ - 1] + 1 : TRY((in.list + (held_ >> in.order)).read());
        TRY(hold(Mfn{old_[held_]}));
    }
    const u64 extents = frames_ >> order_;
    for (; taken_ < extents; taken_++)
        fresh(taken_) = TRY(frame_allocator::allocate(dom_xen, order_, address_bits)).raw();
    TRY(out.list.read_array(&pfn(0), extents));
    // For this moment the domain owns both, which may be more than its limit: nothing else is added to it then.
    for (; added_ < extents; added_++)
        TRY(domains::add_block(domain_, Mfn{fresh(added_)}, order_, domains::Limit::waived));
    for (; held_; held_--) {
        release(Mfn{old_[held_ - 1]});
        give_frame(domain_, Mfn{old_[held_ - 1]});
    }
    taken_ = 0;
    for (u64 i = 0; i < frames_; i++) {
        const u64 extent = i >> order_, offset = i % bit(order_);
        name_frame(domain_, Mfn{fresh(extent)} + offset, pfn(extent) + offset);
    }
    return out.list.write_array(&fresh(0), extents);
}

} // namespace

CallResult exchange(Call& call, u64 argument)
{
    const GuestPtr<xen_memory_exchange> place(argument);
    const auto request = TRY(place.read());
    const auto &in = request.in, &out = request.out;
    if (in.domid != out.domid || in.extent_order > max_extent_order || out.extent_order > max_extent_order || in.nr_extents > max_extents ||
        out.nr_extents > max_extents || in.nr_extents << in.extent_order != out.nr_extents << out.extent_order ||
        request.nr_exchanged > in.nr_extents)
        return Error::inval;
    if (in.domid != dom_self.raw() && in.domid != call.domain.id.raw())
        return Error::perm; // the frames of another domain may go away at any moment
    unsigned order = max(in.extent_order, out.extent_order);
    u64 in_chunk = bit(order - in.extent_order), out_chunk = bit(order - out.extent_order);
    if (in.nr_extents % in_chunk || request.nr_exchanged % in_chunk)
        return Error::inval;
    const GuestPtr<u64> in_list(in.extent_start), out_list(out.extent_start);
    const u64 first = request.nr_exchanged / in_chunk;
    for (u64 i = first; i < in.nr_extents / in_chunk; i++) {
        if (i != first && arch::should_yield())
            return Error::restart; // nr_exchanged is the position
        Chunk chunk(call.domain, order);
        TRY(chunk.exchange({in_list + i * in_chunk, in.extent_order}, {out_list + i * out_chunk, out.extent_order},
                           address_bits(out.mem_flags)));
        TRY(place.at(&xen_memory_exchange::nr_exchanged).write((i + 1) * in_chunk));
    }
    return s64{0};
}

} // namespace tenon::hypercall::memory
