// What FrameView resolves to: the running domain's own map, or a window of the running vCPU.
#include "own_map.hpp"
#include "../cpu/per_cpu.hpp"
#include "paging.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

Pte* make_table() { return static_cast<Pte*>(heap::allocate(page_size)); }
/// Other CPUs may walk the tables at this moment.
void store(Pte& entry, Pte value) { std::atomic_ref(entry.raw).store(value.raw, std::memory_order_release); }
Pte link_to(const Pte* table) { return Pte::of(shared_frame(u64(table)), table_flags); }

} // namespace

Status OwnMap::init()
{
    gib_count_ = (frame_table::end + gib_frames - 1) / gib_frames;
    gibs_ = make_array<Gib>(gib_count_);
    if (!gibs_)
        return Error::nomem;
    for (u64 slot = 0; slot * entries_per_table < gib_count_; slot++)
        if (!(l3_[slot] = make_table()))
            return Error::nomem;
    return success;
}

OwnMap::~OwnMap()
{
    for (Gib* gib = gibs_; gib && gib < gibs_ + gib_count_; gib++) {
        for (unsigned i = 0; gib->l1 && i < entries_per_table; i++)
            heap::free(gib->l1[i]);
        heap::free(gib->l1);
        heap::free(gib->l2);
    }
    heap::free(gibs_);
    for (Pte* table : l3_)
        heap::free(table);
}

Pte OwnMap::root_entry(unsigned slot) const { return l3_[slot] ? link_to(l3_[slot]) : Pte{}; }

Status OwnMap::make_tables(u64 mfn)
{
    Gib& gib = gibs_[mfn / gib_frames];
    if (!gib.l1 && !(gib.l1 = static_cast<Pte**>(heap::allocate(page_size))))
        return Error::nomem;
    if (!gib.l2) {
        if (!(gib.l2 = make_table()))
            return Error::nomem;
        l3_[mfn / gib_frames / entries_per_table][mfn / gib_frames % entries_per_table] = link_to(gib.l2);
    }
    Pte*& l1 = gib.l1[mfn / block_frames % entries_per_table];
    if (!l1 && !(l1 = make_table()))
        return Error::nomem;
    return success;
}

Status OwnMap::add(Mfn first, u64 count)
{
    const u64 end = first.raw() + count;
    for (u64 mfn = align_down(first.raw(), block_frames); mfn < end; mfn += block_frames) {
        Guard guard(lock_);
        TRY(make_tables(mfn));
    }
    for (u64 mfn = first.raw(); mfn < end;) {
        Guard guard(lock_); // in pieces: others wait for it with interrupts off
        Pte& entry = block_entry(mfn);
        if (mfn % block_frames == 0 && end - mfn >= block_frames && !entry.is_present()) {
            store(entry, Pte::of(Mfn{mfn}, data_flags | Pte::large));
            mfn += block_frames;
            continue;
        }
        Pte* table = block_table(mfn);
        if (!entry.is_present())
            store(entry, link_to(table));
        for (u64 stop = min(end, (mfn | (block_frames - 1)) + 1); mfn < stop; mfn++)
            store(table[mfn % block_frames], Pte::of(Mfn{mfn}, data_flags));
    }
    return success;
}

/// A block that is one entry becomes a table of the same frames.
void OwnMap::split(u64 mfn)
{
    Pte& entry = block_entry(mfn);
    if (!(entry.raw & Pte::large))
        return;
    Pte* table = block_table(mfn);
    for (unsigned i = 0; i < entries_per_table; i++)
        table[i] = Pte::of(entry.mfn() + i, data_flags);
    store(entry, link_to(table));
}

void OwnMap::remove(Mfn frame)
{
    const u64 mfn = frame.raw();
    Guard guard(lock_);
    split(mfn);
    store(block_table(mfn)[mfn % block_frames], {});
}

namespace {

/// Where the windows of the vCPU on whose stack we are begin, and their level-1 entries.
u64 window_address(const StackInfo& info, unsigned window)
{
    return align_down(u64(&info), vcpu_area_size) + private_distance + (private_windows + window) * page_size;
}
Pte& window_entry(const StackInfo& info, unsigned window)
{
    return reinterpret_cast<Pte*>(align_down(u64(&info), vcpu_area_size) + private_distance +
                                  private_table * page_size)[private_windows + window];
}

/// Not the running domain's: a grant, a domain that it builds or ends, a frame that nobody owns yet.
[[gnu::noinline]] void* open_window(Mfn mfn)
{
    if (boot_map_is_there) [[unlikely]]
        return own_frame(mfn);
    StackInfo& info = stack_info();
    const unsigned window = info.windows++;
    ASSERT(window < window_count);
    window_entry(info, window) = Pte::of(mfn, data_flags); // there was nothing, which no TLB remembers
    return reinterpret_cast<void*>(window_address(info, window));
}

} // namespace

void* open_frame(Mfn mfn)
{
    if (frame_table::covers(mfn) && frame_at(mfn).owner == stack_info().domain) [[likely]]
        return own_frame(mfn);
    return open_window(mfn);
}

/// Views nest: the last one opened is closed first.
void close_window(const void* at)
{
    StackInfo& info = stack_info();
    window_entry(info, --info.windows) = {};
    invalidate_page(u64(at));
}

} // namespace tenon::x86

namespace tenon::arch {

Status enter_own_map(Domain& domain, Mfn first, u64 count) { return domain.arch.own_map->add(first, count); }
void leave_own_map(Domain& domain, Mfn mfn) { domain.arch.own_map->remove(mfn); }

} // namespace tenon::arch
