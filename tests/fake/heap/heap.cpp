// The heap interface answered by the host's allocator, so that AddressSanitizer sees every object of common code.
#include <cstdlib>
#include <cstring>
#include <fake/memory.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon {

void* heap::allocate(std::size_t bytes)
{
    if (bytes < page_size)
        return std::calloc(1, bytes);
    void* p = std::aligned_alloc(page_size, align_up(bytes, page_size));
    return p ? std::memset(p, 0, bytes) : nullptr;
}
void heap::free(void* pointer) { std::free(pointer); }
bool heap::init() { return true; }

CommPage allocate_comm_page()
{
    auto mfn = frame_allocator::allocate(dom_xen, 0);
    if (!mfn)
        return {};
    frame_at(*mfn).type = TypeWord::of(FrameType::writable, 1, TypeWord::validated_bit).raw;
    return {*mfn, fake::frame_bytes(*mfn)};
}
void free_comm_page(CommPage& page)
{
    if (!page)
        return;
    Frame& frame = frame_at(page.mfn);
    frame.type.fetch_sub(1);
    frame.put();
    page = {};
}

} // namespace tenon
