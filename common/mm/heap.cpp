// The hypervisor's heap: each object has whole pages of an address window. There are few, and most are large.
// Addresses are handed out next-fit; what is freed stays out of use until the search comes round, and is then made usable again
// all at once, after one flush of the TLBs that may hold old translations.
#include <tenon/arch/memory.hpp>
#include <tenon/grant/table.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {
namespace heap {
namespace {

enum class State : u8 { unused, used, last, stale }; ///< last: of its object; stale: freed, and waits for the flush
State* state;                                        ///< of each page, at the start of the window
u64 window_pages, hint, first_page;
u64 newest_unmap; ///< stamp of the last page given back
std::atomic<u64> pages_in_use;
SpinLock<Rank::heap> lock;

HostVa va_of(u64 page) { return HostVa{arch::heap_start().raw() + (page << page_shift)}; }

/// First of `count` unused pages in [from, window_pages), or 0.
u64 find_run(u64 from, u64 count)
{
    for (u64 start = from, i = from; i < window_pages; i++)
        if (state[i] != State::unused)
            start = i + 1;
        else if (i + 1 - start == count)
            return start;
    return 0;
}

/// Makes the freed addresses usable again. Under the lock: nobody may take one before the flush is done.
void recycle()
{
    if (newest_unmap)
        arch::flush_tlb_older_than(newest_unmap, arch::online_cpus());
    newest_unmap = 0;
    for (u64 i = first_page; i < window_pages; i++)
        if (state[i] == State::stale)
            state[i] = State::unused;
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
    __builtin_memset(state + start, int(State::used), count - 1);
    hint = start + count;
    state[hint - 1] = State::last;
    return start;
}

Result<Mfn> map_new_frame(u64 page)
{
    Mfn mfn = TRY(frame_allocator::allocate(dom_xen, 0));
    if (Status mapped = arch::heap_map(va_of(page), mfn); !mapped.ok()) {
        frame_at(mfn).put();
        return mapped.error();
    }
    pages_in_use.fetch_add(1, std::memory_order_relaxed);
    return mfn;
}

/// Takes a run of `count` out of use, of which the first pages are mapped; drops the references to their frames.
void release(u64 start, u64 count, u64 backed)
{
    for (u64 i = start; i < start + backed; i++)
        frame_at(arch::heap_unmap(va_of(i))).put();
    pages_in_use.fetch_sub(backed, std::memory_order_relaxed);
    Guard guard(lock);
    newest_unmap = arch::tlb_stamp();
    __builtin_memset(state + start, int(State::stale), count);
}

/// Zeroed pages at consecutive addresses; nullptr when there is no memory. `last_frame` is that of the last page.
void* allocate_pages(u64 count, Mfn& last_frame)
{
    u64 start = count && count < window_pages ? reserve(count) : 0;
    for (u64 i = 0; start && i < count; i++) {
        auto mfn = map_new_frame(start + i);
        if (!mfn) {
            release(start, count, i);
            return nullptr;
        }
        last_frame = *mfn;
    }
    return start ? reinterpret_cast<void*>(va_of(start).raw()) : nullptr;
}

} // namespace

bool init()
{
    // One address for each frame that the heap could ever want, and some: it never holds more than a small part of memory.
    window_pages = min(arch::heap_bytes() >> page_shift, align_up(frame_allocator::stats().total / 4 + 0x4000, page_size));
    first_page = hint = window_pages / page_size;
    newest_unmap = 0;
    pages_in_use = 0;
    for (u64 i = 0; i < first_page; i++)
        if (!map_new_frame(i))
            return false;
    state = reinterpret_cast<State*>(va_of(0).raw());
    return true;
}

void* allocate(std::size_t bytes)
{
    Mfn last_frame;
    return allocate_pages(pages_for(max(bytes, std::size_t{1})), last_frame); // 0 when there is no such number of pages
}

void free(void* pointer)
{
    if (!pointer)
        return;
    u64 start = (reinterpret_cast<u64>(pointer) - arch::heap_start().raw()) >> page_shift, end = start;
    ASSERT(start >= first_page && start < window_pages && (state[start] == State::used || state[start] == State::last));
    while (state[end] != State::last)
        end++;
    release(start, end + 1 - start, end + 1 - start);
}

u64 pages() { return pages_in_use.load(std::memory_order_relaxed); }

} // namespace heap

CommPage allocate_comm_page()
{
    Mfn mfn = invalid_mfn;
    void* va = heap::allocate_pages(1, mfn);
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
    heap::free(page.va);
    page = {};
}

} // namespace tenon
