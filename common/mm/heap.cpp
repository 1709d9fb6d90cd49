// The hypervisor's heap: whole pages of an address window, and small objects in slots of such pages.
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

enum class State : u8 { unused, used, last, stale }; // last: of its allocation; stale: freed, and waits for the flush
State* state;                                        ///< of each page, at the start of the window
u64 window_pages, hint, first_page;
u64 newest_unmap; ///< stamp of the last page given back
std::atomic<u64> pages, objects;
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

bool map_new_frame(u64 page, Mfn* frame = nullptr)
{
    auto mfn = frame_allocator::allocate(dom_xen, 0);
    if (!mfn)
        return false;
    if (!arch::heap_map(va_of(page), *mfn)) {
        frame_at(*mfn).put();
        return false;
    }
    if (frame)
        *frame = *mfn;
    pages.fetch_add(1, std::memory_order_relaxed);
    return true;
}

/// Takes a run of `count` out of use, of which the first pages are mapped; drops the references to their frames.
void release(u64 start, u64 count, u64 backed)
{
    for (u64 i = start; i < start + backed; i++)
        frame_at(arch::heap_unmap(va_of(i))).put();
    pages.fetch_sub(backed, std::memory_order_relaxed);
    Guard guard(lock);
    newest_unmap = arch::tlb_stamp();
    __builtin_memset(state + start, int(State::stale), count);
}

/// `count` zeroed pages at consecutive addresses; nullptr when there is no memory. `last_frame` is that of the last page.
void* allocate_pages(u64 count, Mfn* last_frame = nullptr)
{
    u64 start = count && count < window_pages ? reserve(count) : 0;
    for (u64 i = 0; start && i < count; i++)
        if (!map_new_frame(start + i, last_frame)) {
            release(start, count, i);
            return nullptr;
        }
    return start ? reinterpret_cast<void*>(va_of(start).raw()) : nullptr;
}

void free_pages(void* pointer)
{
    u64 start = (reinterpret_cast<u64>(pointer) - arch::heap_start().raw()) >> page_shift, end = start;
    ASSERT(start >= first_page && start < window_pages && (state[start] == State::used || state[start] == State::last));
    while (state[end] != State::last)
        end++;
    release(start, end + 1 - start, end + 1 - start);
}

// Small objects: pages of equal slots, each page with a header that knows its free slots. They are told apart from whole pages by
// their address: a slot never lies on a page boundary, because the header does. Slot sizes are multiples of 16 that divide what the
// header leaves of a page with little waste.
constexpr u16 sizes[] = {32, 48, 64, 96, 128, 192, 256, 368, 496, 672, 800, 1008, 1344, 2032};
constexpr unsigned classes = std::size(sizes);

struct Slab {
    Slab *next, *prev; ///< links of slabs with a free slot
    u16 free_slot;     ///< offset in the page of the first free slot, 0: none; a free slot begins with the offset of the next
    u16 used;
    u8 size_class;
    u32 magic;
};
constexpr u32 slab_magic = 0x51ab51ab;
static_assert(sizeof(Slab) == 32 && sizeof(Slab) + 2 * 2032 <= page_size);

Slab* partial[classes]; ///< slabs with a free slot, of each class

u16& link(Slab* slab, u16 offset) { return *reinterpret_cast<u16*>(reinterpret_cast<u8*>(slab) + offset); }

void list(Slab* slab)
{
    Slab*& head = partial[slab->size_class];
    slab->prev = nullptr;
    slab->next = head;
    if (head)
        head->prev = slab;
    head = slab;
}

void unlist(Slab* slab)
{
    (slab->prev ? slab->prev->next : partial[slab->size_class]) = slab->next;
    if (slab->next)
        slab->next->prev = slab->prev;
}

void add_slab(Slab* slab, unsigned size_class)
{
    *slab = {nullptr, nullptr, 0, 0, u8(size_class), slab_magic};
    u16 size = sizes[size_class];
    for (unsigned offset = sizeof(Slab); offset + size <= page_size; offset += size)
        link(slab, u16(offset)) = std::exchange(slab->free_slot, u16(offset));
    Guard guard(lock);
    list(slab);
}

/// A slot of an existing slab, or nullptr.
void* take_slot(unsigned size_class)
{
    Guard guard(lock);
    Slab* slab = partial[size_class];
    if (!slab)
        return nullptr;
    u16 offset = slab->free_slot;
    slab->free_slot = link(slab, offset);
    slab->used++;
    if (!slab->free_slot)
        unlist(slab);
    return reinterpret_cast<u8*>(slab) + offset;
}

/// Puts a slot back; returns a slab that nobody needs any more, or nullptr. The only one with a free slot stays even when it is
/// empty, so that a lone object coming and going does not map and unmap.
Slab* give_slot(void* pointer)
{
    Guard guard(lock);
    Slab* slab = reinterpret_cast<Slab*>(align_down(reinterpret_cast<u64>(pointer), page_size));
    u16 offset = u16(reinterpret_cast<u64>(pointer) & page_mask);
    ASSERT(slab->magic == slab_magic && slab->used > 0 && (offset - sizeof(Slab)) % sizes[slab->size_class] == 0);
    if (!slab->free_slot)
        list(slab);
    link(slab, offset) = slab->free_slot;
    slab->free_slot = offset;
    if (--slab->used || (!slab->next && !slab->prev))
        return nullptr;
    unlist(slab);
    return slab;
}

} // namespace

bool init()
{
    // One address for each frame that the heap could ever want, and some: it never holds more than a small part of memory.
    window_pages = min(arch::heap_bytes() >> page_shift, align_up(frame_allocator::stats().total / 4 + 0x4000, page_size));
    first_page = hint = window_pages / page_size;
    newest_unmap = 0;
    pages = objects = 0;
    for (u64 i = 0; i < first_page; i++)
        if (!map_new_frame(i))
            return false;
    state = reinterpret_cast<State*>(va_of(0).raw());
    for (Slab*& slab : partial)
        slab = nullptr;
    return true;
}

namespace {

void* allocate_any(std::size_t bytes)
{
    if (bytes > sizes[classes - 1])
        return bytes > ~u64{0} - page_size ? nullptr : allocate_pages(pages_for(bytes));
    unsigned size_class = 0;
    while (sizes[size_class] < bytes)
        size_class++;
    for (;;) {
        if (void* slot = take_slot(size_class))
            return __builtin_memset(slot, 0, sizes[size_class]);
        auto* slab = static_cast<Slab*>(allocate_pages(1));
        if (!slab)
            return nullptr;
        add_slab(slab, size_class);
    }
}

} // namespace

void* allocate(std::size_t bytes)
{
    void* made = allocate_any(bytes);
    if (made)
        objects.fetch_add(1, std::memory_order_relaxed);
    return made;
}

void free(void* pointer)
{
    if (pointer)
        objects.fetch_sub(1, std::memory_order_relaxed);
    if (reinterpret_cast<u64>(pointer) & page_mask)
        pointer = give_slot(pointer);
    if (pointer)
        free_pages(pointer);
}

Stats stats()
{
    u64 spare = 0;
    Guard guard(lock);
    for (const Slab* first : partial)
        for (const Slab* slab = first; slab; slab = slab->next)
            spare += slab->used == 0;
    return {pages.load(std::memory_order_relaxed), spare, objects.load(std::memory_order_relaxed)};
}

} // namespace heap

CommPage allocate_comm_page()
{
    Mfn mfn = invalid_mfn;
    void* va = heap::allocate_pages(1, &mfn);
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
