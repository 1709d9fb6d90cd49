// The frame table, the end of a frame's life with an owner, and the allocator: buddy lists per zone. Zone z holds the frames that
// need exactly 24 + z address bits (zone 0: at most 24), so an allocation with an address limit looks at whole zones and never
// walks a list. Buddies of different zones do not merge.
// Invariant: a free frame has refs 0, owner dom_invalid; the first of each free block has free_bit | order as its type word,
// and is the only kind of frame that has free_bit.
#include <new>
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

namespace frame_allocator {
namespace {

constexpr unsigned narrowest = 24 - page_shift, zones = 44 - 24 + 1; // frame numbers have 32 bits
struct Zone {
    FrameList blocks[max_order + 1];
    u32 orders = 0; ///< bit n: blocks[n] is not empty
};
constinit Zone zone[zones];
u64 total_frames, free_frames;
SpinLock<Rank::allocator> lock;

constexpr unsigned zone_of(u64 mfn) { return mfn >> narrowest ? log2_floor(mfn) + 1 - narrowest : 0; }
Frame& at(u64 mfn) { return frame_at(Mfn{mfn}); }
constexpr u64 head_word(unsigned order) { return TypeWord::free_bit | order; }

void push(u64 mfn, unsigned order)
{
    Zone& z = zone[zone_of(mfn)];
    z.blocks[order].push(at(mfn));
    z.orders |= 1u << order;
    at(mfn).type.store(head_word(order), std::memory_order_relaxed);
}

void remove(u64 mfn, unsigned order)
{
    Zone& z = zone[zone_of(mfn)];
    ASSERT(at(mfn).type.load(std::memory_order_relaxed) == head_word(order));
    z.blocks[order].remove(at(mfn));
    if (!z.blocks[order].first)
        z.orders &= ~(1u << order);
    at(mfn).type.store(0, std::memory_order_relaxed);
}

/// Puts a block back and merges it with free buddies. Under the lock.
void merge_and_push(u64 mfn, unsigned order)
{
    free_frames += u64{1} << order;
    while (order < max_order) {
        u64 buddy = mfn ^ u64 { 1 } << order;
        if (buddy + (u64{1} << order) > frame_table::end || zone_of(buddy) != zone_of(mfn) ||
            at(buddy).type.load(std::memory_order_relaxed) != head_word(order))
            break;
        remove(buddy, order);
        mfn = min(mfn, buddy);
        order++;
    }
    push(mfn, order);
}

/// First frame of a block of this order, split off the smallest that fits, from the highest zone that may be used; 0: none.
u64 take(unsigned order, unsigned address_bits)
{
    if (address_bits < page_shift)
        return 0;
    u64 limit = address_bits >= 64 ? ~u64{0} : u64{1} << (address_bits - page_shift);
    int highest = int(min(zone_of(limit - 1), zones - 1));
    for (int z = highest; z >= 0; z--) {
        for (u32 orders = zone[z].orders >> order << order; orders; orders &= orders - 1) {
            unsigned have = unsigned(__builtin_ctz(orders));
            u64 mfn = zone[z].blocks[have].first;
            while (mfn && mfn + (u64{1} << order) > limit) // only in zone 0, for limits below 16 MiB
                mfn = at(mfn).next;
            if (!mfn)
                continue;
            remove(mfn, have);
            while (have > order) { // the upper half stays
                have--;
                push(mfn + (u64{1} << have), have);
            }
            free_frames -= u64{1} << order;
            return mfn;
        }
    }
    return 0;
}

void make_free(Frame& frame)
{
    frame.owner = dom_invalid.raw();
    frame.progress = 0;
    frame.next = frame.prev = Frame::unlisted;
    frame.type.store(0, std::memory_order_relaxed);
}

} // namespace

void add_range(Mfn first, u64 count)
{
    u64 mfn = max(first.raw(), u64{1}), end = min(first.raw() + count, min(frame_table::end, u64{1} << 32));
    for (u64 i = mfn; i < end; i++) {
        ASSERT(at(i).refs.load(std::memory_order_relaxed) == 0 && at(i).owner == dom_io.raw());
        make_free(at(i));
    }
    Guard guard(lock);
    while (mfn < end) {
        unsigned order = min(min(unsigned(__builtin_ctzll(mfn)), log2_floor(end - mfn)), max_order);
        total_frames += u64{1} << order;
        merge_and_push(mfn, order);
        mfn += u64{1} << order;
    }
}

Result<Mfn> allocate(DomainId owner, unsigned order, unsigned address_bits)
{
    if (order > max_order)
        return Error::nomem;
    u64 first;
    {
        Guard guard(lock);
        first = take(order, address_bits);
    }
    if (!first)
        return Error::nomem;

    // Nobody else can reach the block: its frames have no references and are in no list.
    u64 newest = 0, count = u64{1} << order;
    for (u64 i = 0; i < count; i++)
        newest = max(newest, at(first + i).stamp);
    if (newest)
        arch::flush_tlb_older_than(newest, arch::online_cpus());
    for (u64 i = 0; i < count; i++) {
        Frame& frame = at(first + i);
        arch::clear_frame(Mfn{first + i});
        frame.owner = owner.raw();
        frame.stamp = 0;
        frame.refs.store(1, std::memory_order_release); // pairs with the acquire in Frame::get
    }
    return Mfn{first};
}

void free(Mfn mfn)
{
    Frame& frame = frame_at(mfn);
    ASSERT(frame.refs.load(std::memory_order_relaxed) == 0 && frame.owner != dom_invalid.raw());
    make_free(frame);
    Guard guard(lock);
    merge_and_push(mfn.raw(), 0);
}

MemoryStats stats()
{
    Guard guard(lock);
    return {total_frames, free_frames};
}

} // namespace frame_allocator

namespace frame_table {

constinit Frame* base = nullptr;
u64 end, bytes;

void init(Frame* memory, u64 frames)
{
    base = memory;
    end = frames;
    bytes = frames * sizeof(Frame);
    for (auto& zone : frame_allocator::zone) // tests do this again and again
        zone = {};
    frame_allocator::total_frames = frame_allocator::free_frames = 0;
    for (u64 i = 0; i < frames; i++)
        (new (&memory[i]) Frame)->owner = dom_io.raw();
}

void claim(Mfn first, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        Frame& frame = frame_at(first + i);
        frame.owner = dom_xen.raw();
        frame.refs.store(1, std::memory_order_release);
    }
}

} // namespace frame_table

void Frame::bring_back(Frame& frame, u64 stamp)
{
    for (u64 before; (before = __atomic_exchange_n(&frame.stamp, stamp, __ATOMIC_ACQ_REL)) > stamp;)
        stamp = before;
}

void Frame::last_reference_gone(Frame& frame)
{
    TypeWord word = frame.type_word();
    ASSERT(word.count() == 0 && !word.partial());
    if (frame.is_listed())
        frame_released(frame);
    frame.stamp = arch::tlb_stamp();
    frame_allocator::free(mfn_of(frame));
}

bool Frame::get_slowly(Frame& frame, DomainId domain, u32 count)
{
    u32 n = frame.refs.load(std::memory_order_relaxed);
    do {
        if ((n & ~allocated_bit) - 1 >= refs_limit) // 0 wraps
            return false;
    } while (!frame.refs.compare_exchange_weak(n, n + count, std::memory_order_acquire));
    if (frame.owner == domain.raw())
        return true;
    frame.put(count);
    return false;
}

} // namespace tenon
