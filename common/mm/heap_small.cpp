// Small objects: pages of equal slots, each page with a header that knows its free slots. Larger objects are whole pages, and are
// told apart by their address: a slot never lies on a page boundary, because the header does.
#include "heap_pages.hpp"
#include <tenon/log.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon::heap {
namespace {

// Multiples of 16 that divide what the header leaves of a page with little waste.
constexpr u16 sizes[] = {32, 48, 64, 96, 128, 192, 256, 368, 496, 672, 800, 1008, 1344, 2032};
constexpr unsigned classes = sizeof(sizes) / sizeof(*sizes);

struct Slab {
    Slab* next;
    Slab* prev;     ///< links of slabs with a free slot
    u16 free_slot;  ///< offset in the page of the first free slot, 0: none; a free slot begins with the offset of the next
    u16 used;
    u8 size_class;
    bool listed;
    u32 magic;
};
constexpr u32 slab_magic = 0x51ab51ab;
static_assert(sizeof(Slab) == 32 && sizeof(Slab) + 2 * 2032 <= page_size);

struct Class {
    Slab* partial;  ///< slabs with a free slot, at least one slot used
    Slab* spare;    ///< one empty slab, so that a lone object coming and going does not map and unmap
};
Class class_of[classes];
SpinLock<Rank::heap> lock;

u16& link(Slab* slab, u16 offset) { return *reinterpret_cast<u16*>(reinterpret_cast<u8*>(slab) + offset); }

void list(Slab* slab)
{
    Slab*& head = class_of[slab->size_class].partial;
    slab->prev = nullptr;
    slab->next = head;
    if (head)
        head->prev = slab;
    head = slab;
    slab->listed = true;
}

void unlist(Slab* slab)
{
    (slab->prev ? slab->prev->next : class_of[slab->size_class].partial) = slab->next;
    if (slab->next)
        slab->next->prev = slab->prev;
    slab->listed = false;
}

void format_slab(Slab* slab, unsigned size_class)
{
    *slab = {nullptr, nullptr, 0, 0, u8(size_class), false, slab_magic};
    u16 size = sizes[size_class];
    for (unsigned offset = sizeof(Slab); offset + size <= page_size; offset += size) {
        link(slab, u16(offset)) = slab->free_slot;
        slab->free_slot = u16(offset);
    }
}

/// A slot of an existing slab, or nullptr. Under the lock.
void* take_slot(unsigned size_class)
{
    Class& c = class_of[size_class];
    Slab* slab = c.partial;
    if (!slab) {
        if (!(slab = c.spare))
            return nullptr;
        c.spare = nullptr;
        list(slab);
    }
    u16 offset = slab->free_slot;
    slab->free_slot = link(slab, offset);
    slab->used++;
    if (!slab->free_slot)
        unlist(slab);
    return reinterpret_cast<u8*>(slab) + offset;
}

/// Puts a slot back; returns a slab that nobody needs any more, or nullptr. Under the lock.
Slab* give_slot(void* pointer)
{
    Slab* slab = reinterpret_cast<Slab*>(align_down(reinterpret_cast<u64>(pointer), page_size));
    u16 offset = u16(reinterpret_cast<u64>(pointer) & page_mask);
    ASSERT(slab->magic == slab_magic && slab->used > 0 && (offset - sizeof(Slab)) % sizes[slab->size_class] == 0);
    link(slab, offset) = slab->free_slot;
    slab->free_slot = offset;
    if (!slab->listed)
        list(slab);
    if (--slab->used)
        return nullptr;
    unlist(slab);
    return std::exchange(class_of[slab->size_class].spare, slab);
}

} // namespace

void reset_small()
{
    for (Class& c : class_of)
        c = {};
}

void* allocate(std::size_t bytes)
{
    if (bytes > sizes[classes - 1])
        return bytes > ~u64{0} - page_size ? nullptr : allocate_pages(pages_for(bytes), dom_xen);
    unsigned size_class = 0;
    while (sizes[size_class] < bytes)
        size_class++;
    for (;;) {
        {
            Guard guard(lock);
            if (void* slot = take_slot(size_class))
                return __builtin_memset(slot, 0, sizes[size_class]);
        }
        auto* slab = static_cast<Slab*>(allocate_pages(1, dom_xen));
        if (!slab)
            return nullptr;
        format_slab(slab, size_class);
        Guard guard(lock);
        list(slab);
    }
}

void free(void* pointer)
{
    if (!pointer)
        return;
    void* pages = pointer;
    if (reinterpret_cast<u64>(pointer) & page_mask) {
        Guard guard(lock);
        pages = give_slot(pointer);
    }
    if (pages)
        free_pages(pages);
}

} // namespace tenon::heap
