// The heap interface answered by the host's allocator, so that AddressSanitizer sees every object of common code.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fake/memory.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon {

static std::atomic<u64> comm_pages;

void* heap::allocate(std::size_t bytes)
{
    if (bytes < page_size)
        return std::calloc(1, bytes);
    void* p = std::aligned_alloc(page_size, align_up(bytes, page_size));
    return p ? std::memset(p, 0, bytes) : nullptr;
}
void heap::free(void* pointer) { std::free(pointer); }
u64 heap::pages() { return comm_pages; }

CommPage allocate_comm_page()
{
    auto mfn = frame_allocator::allocate(dom_xen, 0);
    if (!mfn)
        return {};
    comm_pages++;
    frame_at(*mfn).type = TypeWord::of(FrameType::writable, 1, TypeWord::validated_bit).raw;
    return {*mfn, fake::frame_bytes(*mfn)};
}
void free_comm_page(CommPage& page)
{
    if (!page)
        return;
    comm_pages--;
    Frame& frame = frame_at(page.mfn);
    frame.type.fetch_sub(1);
    frame.put();
    page = {};
}

} // namespace tenon
