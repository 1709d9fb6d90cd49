// The hypervisor's heap: each object has whole frames, next to each other, and a frame's place in the heap's window follows from its
// number. So an address is in use exactly as long as its frame, and what TLBs may still know of it is the frame allocator's business.
// Invariant: `progress` of a frame on the heap is 1 when its object goes on in the next one, else 0.
#include <tenon/arch/memory.hpp>
#include <tenon/grant/table.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon {
namespace {

std::atomic<u64> pages_in_use;

HostVa va_of(Mfn mfn) { return HostVa{arch::heap_start().raw() + (mfn.raw() << page_shift)}; }
Mfn mfn_at(const void* pointer) { return Mfn{(reinterpret_cast<u64>(pointer) - arch::heap_start().raw()) >> page_shift}; }

} // namespace

void* heap::allocate(std::size_t bytes)
{
    const u64 count = max(pages_for(bytes), u64{1});
    const unsigned order = bytes > ~u64{0} - page_size ? ~0u : log2_ceil(count);
    auto first = frame_allocator::allocate(dom_xen, order, arch::heap_address_bits);
    if (!first)
        return nullptr;
    u64 mapped = 0;
    for (; mapped < count && arch::heap_map(va_of(*first + mapped), *first + mapped).ok(); mapped++)
        frame_at(*first + mapped).progress = mapped + 1 < count;
    put_frames(*first + mapped, bit(order) - mapped); // more than was asked for, or all that could not be mapped
    pages_in_use.fetch_add(mapped, std::memory_order_relaxed);
    auto* made = reinterpret_cast<void*>(va_of(*first).raw());
    if (mapped == count)
        return made;
    if (mapped) {
        frame_at(*first + (mapped - 1)).progress = 0;
        free(made);
    }
    return nullptr;
}

void heap::free(void* pointer)
{
    bool goes_on = pointer != nullptr;
    for (Mfn mfn = mfn_at(pointer); goes_on; mfn = mfn + 1) {
        Frame& frame = frame_at(mfn);
        ASSERT(frame.refs.load(std::memory_order_relaxed) != 0);
        goes_on = frame.progress;
        arch::heap_unmap(va_of(mfn));
        frame.put();
        pages_in_use.fetch_sub(1, std::memory_order_relaxed);
    }
}

u64 heap::pages() { return pages_in_use.load(std::memory_order_relaxed); }

CommPage allocate_comm_page()
{
    void* va = heap::allocate(page_size);
    if (!va)
        return {};
    // A writable reference for as long as we hold it: the owner cannot turn it into a page table.
    bool fresh = arch::get_writable(frame_at(mfn_at(va)));
    ASSERT(fresh);
    return {mfn_at(va), va};
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
