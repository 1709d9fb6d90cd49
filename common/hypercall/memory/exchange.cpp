// exchange: the caller's frames for others of another shape, as device drivers need them (contiguous, below an address).
// The lists are worked off in chunks of the larger extent; a chunk is exchanged wholly or stays as it was.
#include "operations.hpp"
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon::hypercall::memory {

namespace {

/// A chunk being exchanged. Until commit() its destructor puts everything back.
class Chunk : Pinned {
public:
    Chunk(Domain& domain, unsigned order) : domain_(domain), frames_(u64{1} << order), list_(make_array<u64>(2 * frames_)) {}
    ~Chunk()
    {
        for (u64 i = 0; i < held_; i++)
            release(Mfn{list_[i]});
        for (u64 i = 0; i < taken_; i++)
            put_frames(Mfn{fresh(i)}, bit(taken_order_));
        heap::free(list_);
    }
    Status hold(GuestPtr<u64> in, unsigned order);
    Status take(unsigned order, unsigned address_bits);
    Status commit(GuestPtr<u64> list);

private:
    static constexpr u32 allocation = 1 | Frame::allocated_bit;
    static void release(Mfn mfn) { frame_at(mfn).refs.store(allocation, std::memory_order_release); }
    u64& fresh(u64 i) { return list_[frames_ + i]; }

    Domain& domain_;
    u64 frames_;
    u64* list_; ///< the frames that go, then the extents that come
    u64 held_ = 0, taken_ = 0;
    unsigned taken_order_ = 0;
};

/// Takes the frames out of use. A frame whose only reference is its allocation goes to no references at all, and no one can
/// take a new one: a frame that is still mapped, pinned or granted refuses.
Status Chunk::hold(GuestPtr<u64> in, unsigned order)
{
    if (!list_)
        return Error::nomem;
    for (u64 i = 0; i < frames_; i++) {
        if ((i & ((u64{1} << order) - 1)) == 0)
            list_[i] = TRY((in + (i >> order)).read());
        else
            list_[i] = list_[i - 1] + 1;
        Mfn mfn{list_[i]};
        if (!frame_table::covers(mfn) || !is_ram(mfn))
            return Error::inval;
        Frame& frame = frame_at(mfn);
        if (!frame.get(domain_.id))
            return Error::inval;
        u32 ours_and_the_allocation = allocation + 1;
        bool alone = frame.type_word().count() == 0 && frame.refs.compare_exchange_strong(ours_and_the_allocation, 0);
        if (!alone) {
            frame.put();
            return Error::busy;
        }
        held_++;
    }
    return success;
}

Status Chunk::take(unsigned order, unsigned address_bits)
{
    taken_order_ = order;
    for (; taken_ < frames_ >> order; taken_++)
        fresh(taken_) = TRY(frame_allocator::allocate(dom_xen, order, address_bits)).raw();
    return success;
}

/// The list holds pfn bases, then the new frames' numbers. It is read before anything changes.
Status Chunk::commit(GuestPtr<u64> list)
{
    u64 extents = taken_;
    u64* pfn = make_array<u64>(extents);
    if (!pfn)
        return Error::nomem;
    if (auto read = list.read_array(pfn, extents); !read.ok()) {
        heap::free(pfn);
        return read;
    }
    // For this moment the domain owns both, which may be more than its limit: nothing else is added to it then.
    u64 added = 0;
    while (added < extents && domains::add_block(domain_, Mfn{fresh(added)}, taken_order_, domains::Limit::waived).ok())
        added++;
    const bool complete = added == extents;
    for (u64 i = 0; complete && i < frames_; i++) {
        release(Mfn{list_[i]});
        give_frame(domain_, Mfn{list_[i]});
    }
    for (u64 i = 0; !complete && i < added << taken_order_; i++)
        give_frame(domain_, Mfn{fresh(i >> taken_order_) + (i & ((u64{1} << taken_order_) - 1))});
    if (complete)
        held_ = 0;
    taken_ -= added;
    for (u64 i = 0; i < taken_; i++)
        fresh(i) = fresh(i + added);
    for (u64 i = 0; complete && i < added << taken_order_; i++) {
        u64 extent = i >> taken_order_, offset = i & ((u64{1} << taken_order_) - 1);
        name_frame(domain_, Mfn{fresh(extent) + offset}, pfn[extent] + offset);
    }
    heap::free(pfn);
    return complete ? list.write_array(&fresh(0), added) : Status(Error::nomem);
}

} // namespace

CallResult exchange(Operation& op)
{
    auto request = TRY(op.as<xen_memory_exchange>().read());
    const auto &in = request.in, &out = request.out;
    if (in.domid != out.domid || in.extent_order > max_extent_order || out.extent_order > max_extent_order ||
        in.nr_extents > Operation::max_extents || out.nr_extents > Operation::max_extents ||
        in.nr_extents << in.extent_order != out.nr_extents << out.extent_order || request.nr_exchanged > in.nr_extents)
        return Error::inval;
    if (in.domid != dom_self.raw() && in.domid != op.call.domain.id.raw())
        return Error::perm; // the frames of another domain may go away at any moment
    unsigned order = max(in.extent_order, out.extent_order);
    u64 in_chunk = u64{1} << (order - in.extent_order), out_chunk = u64{1} << (order - out.extent_order);
    if (in.nr_extents % in_chunk || request.nr_exchanged % in_chunk)
        return Error::inval;
    unsigned bits = XENMEMF_get_address_bits(out.mem_flags);
    auto exchanged = op.as<xen_memory_exchange>().at(&xen_memory_exchange::nr_exchanged);
    for (u64 chunk = request.nr_exchanged / in_chunk; chunk < in.nr_extents / in_chunk; chunk++) {
        if (chunk != request.nr_exchanged / in_chunk && arch::should_yield())
            return Error::restart; // nr_exchanged is the position
        Chunk frames(op.call.domain, order);
        GuestPtr<u64> list = GuestPtr<u64>(out.extent_start) + chunk * out_chunk;
        TRY(frames.hold(GuestPtr<u64>(in.extent_start) + chunk * in_chunk, in.extent_order));
        TRY(frames.take(out.extent_order, bits ? bits : 64));
        TRY(frames.commit(list));
        TRY(exchanged.write((chunk + 1) * in_chunk));
    }
    return s64{0};
}

} // namespace tenon::hypercall::memory
