// dom0's memory while it is built.
#include "memory.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon::x86::dom0 {

bool Memory::take(Domain& domain, u64 pages)
{
    unsigned order = frame_allocator::max_order;
    while (pages_ < pages) {
        while (order && (u64{1} << order) > pages - pages_)
            order--;
        auto block = frame_allocator::allocate(domain.id, order);
        if (!block.ok()) {
            if (order-- == 0)
                return false;
            continue;
        }
        if (!domains::add_block(domain, *block, order))
            return false;
        bool follows = count_ && runs_[count_ - 1].mfn + (pages_ - runs_[count_ - 1].pfn) == block->raw();
        if (!follows) {
            if (count_ == capacity)
                return false;
            runs_[count_++] = {pages_, block->raw()};
        }
        for (u64 i = 0; i < u64{1} << order; i++)
            arch::set_m2p(*block + i, pages_ + i);
        pages_ += u64{1} << order;
    }
    return true;
}

Mfn Memory::operator[](u64 pfn) const
{
    unsigned low = 0, high = count_;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        (runs_[middle].pfn <= pfn ? low : high) = middle;
    }
    return Mfn{runs_[low].mfn + (pfn - runs_[low].pfn)};
}

void Memory::copy_in(u64 pfn, const u8* from, u64 bytes, u64 offset) const
{
    pfn += offset >> page_shift;
    offset &= page_mask;
    while (bytes) {
        u64 now = min(bytes, page_size - offset);
        FrameView<u8> page((*this)[pfn++]);
        __builtin_memcpy(page.get() + offset, from, now);
        from += now;
        bytes -= now;
        offset = 0;
    }
}

} // namespace tenon::x86::dom0
