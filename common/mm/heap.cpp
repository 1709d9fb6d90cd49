// Pages of the heap window: which addresses are in use, and what backs them. Small objects are in heap_small.cpp.
// Addresses are handed out next-fit; what is freed stays out of use until the search comes round, and is then made usable again
// all at once, after one flush of the TLBs that may hold old translations.
#include "heap_pages.hpp"
#include <tenon/arch/heap.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/grant/table.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {
namespace heap {
namespace {

// Three bitmaps at the start of the window. A page is not available; it is the last of its allocation; it was freed and
// waits for the flush.
u64 *used, *last, *stale;
u64 window_pages, hint, first_page;
u64 newest_unmap; ///< stamp of the last page given back
std::atomic<u64> mapped;
SpinLock<Rank::heap> lock;

HostVa va_of(u64 page) { return HostVa{arch::heap_start().raw() + (page << page_shift)}; }
bool test(const u64* map, u64 i) { return map[i / 64] >> (i % 64) & 1; }
void set(u64* map, u64 i) { map[i / 64] |= bit(i % 64); }
void clear(u64* map, u64 i) { map[i / 64] &= ~bit(i % 64); }

/// First of `count` unused pages in [from, window_pages), or 0.
u64 find_run(u64 from, u64 count)
{
    for (u64 start = from, i = from; i < window_pages;) {
        if (i % 64 == 0 && used[i / 64] == ~u64{0}) {
            start = i += 64;
        } else if (test(used, i)) {
            start = ++i;
        } else if (++i - start == count) {
            return start;
        }
    }
    return 0;
}

/// Makes the freed addresses usable again. Under the lock: nobody may take one before the flush is done.
void recycle()
{
    if (newest_unmap)
        arch::flush_tlb_older_than(newest_unmap, arch::online_cpus());
    newest_unmap = 0;
    for (u64 i = 0; i < window_pages / 64; i++)
        used[i] &= ~std::exchange(stale[i], 0);
}

/// Marks a run as used; 0 when there is none.
u64 reserve(u64 count)
{
    Guard guard(lock);
    u64 start = find_run(hint, count);
    if (!start) {
        recycle();
        start = find_run(first_page, count);
        if (!start)
            return 0;
    }
    for (u64 i = start; i < start + count; i++)
        set(used, i);
    set(last, start + count - 1);
    hint = start + count;
    return start;
}

void release(u64 start, u64 count)
{
    Guard guard(lock);
    newest_unmap = arch::tlb_stamp();
    clear(last, start + count - 1);
    for (u64 i = start; i < start + count; i++)
        set(stale, i);
}

Result<Mfn> map_new_frame(u64 page, DomainId owner)
{
    Mfn mfn = TRY(frame_allocator::allocate(owner, 0));
    if (!arch::heap_map(va_of(page), mfn)) {
        frame_at(mfn).put();
        return Error::nomem;
    }
    mapped.fetch_add(1, std::memory_order_relaxed);
    return mfn;
}

/// Removes the mapping of [start, start + count) and drops the references to its frames.
void unmap(u64 start, u64 count)
{
    for (u64 i = start; i < start + count; i++)
        frame_at(arch::heap_unmap(va_of(i))).put();
    mapped.fetch_sub(count, std::memory_order_relaxed);
}

} // namespace

bool init()
{
    // One address for each frame that the heap could ever want, and some: it never holds more than a small part of memory.
    window_pages = min(arch::heap_bytes() >> page_shift, align_up(frame_allocator::stats().total / 4 + 0x4000, page_size * 8));
    u64 map_pages = window_pages / 8 / page_size;
    first_page = hint = 3 * map_pages;
    mapped = newest_unmap = 0;
    for (u64 i = 0; i < first_page; i++)
        if (!map_new_frame(i, dom_xen))
            return false;
    used = reinterpret_cast<u64*>(va_of(0).raw());
    last = reinterpret_cast<u64*>(va_of(map_pages).raw());
    stale = reinterpret_cast<u64*>(va_of(2 * map_pages).raw());
    for (u64 i = 0; i < first_page; i++)
        set(used, i);
    reset_small();
    return true;
}

void* allocate_pages(u64 count, DomainId owner, Mfn* first_frame)
{
    u64 start = count && count < window_pages ? reserve(count) : 0;
    if (!start)
        return nullptr;
    for (u64 i = 0; i < count; i++) {
        auto mfn = map_new_frame(start + i, owner);
        if (!mfn) {
            unmap(start, i);
            release(start, count);
            return nullptr;
        }
        if (first_frame && i == 0)
            *first_frame = *mfn;
    }
    return reinterpret_cast<void*>(va_of(start).raw());
}

void free_pages(void* pointer)
{
    u64 start = (reinterpret_cast<u64>(pointer) - arch::heap_start().raw()) >> page_shift, end = start;
    ASSERT(start >= first_page && start < window_pages && test(used, start) && !test(stale, start));
    while (!test(last, end))
        end++;
    unmap(start, end - start + 1);
    release(start, end - start + 1);
}

u64 pages_in_use() { return mapped.load(std::memory_order_relaxed); }

} // namespace heap

CommPage allocate_comm_page(DomainId owner)
{
    Mfn mfn = invalid_mfn;
    void* va = heap::allocate_pages(1, owner, &mfn);
    if (!va)
        return {};
    // A writable reference for as long as we hold it: the owner cannot turn it into a page table.
    bool fresh = arch::get_writable(frame_at(mfn));
    ASSERT(fresh);
    return {mfn, va};
}

void free_comm_page(CommPage& page)
{
    if (!page)
        return;
    arch::put_writable(frame_at(page.mfn));
    heap::free_pages(page.va);
    page = {};
}

} // namespace tenon
