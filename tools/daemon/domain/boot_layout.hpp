// BootLayout: which of a new guest's frames holds what, before the first instruction runs. In this order, as
// the ABI has it: kernel, (initrd), (p2m), start_info, store ring, console ring, page tables, boot stack,
// padding; then what the kernel allows to lie outside of the initial mapping: initrd, p2m with its tables.
// Pure arithmetic: see tests/unit.
#pragma once

#include "kernel_image.hpp"

namespace tenon::tools {

struct FrameRange {
    Pfn first = 0;
    std::uint64_t count = 0;

    Pfn end() const { return first + count; }
};

struct BootLayout {
    std::uint64_t virtual_base;
    std::uint64_t pages; ///< all of the guest's memory
    FrameRange start_info, store_ring, console_ring, tables, stack;
    FrameRange initrd;
    FrameRange p2m, p2m_tables; ///< the latter only if the p2m has an address of its own
    std::uint64_t p2m_address;  ///< where the guest sees it
    Pfn mapped_end;             ///< the initial mapping shows the frames from 0 to here
    bool initrd_mapped;

    std::uint64_t address_of(Pfn frame) const { return virtual_base + (frame << page_shift); }

    /// Throws Error if the memory does not suffice.
    static BootLayout plan(const KernelImage& kernel, std::uint64_t initrd_bytes, std::uint64_t pages);
};

/// Page-table pages below the top one that map `bytes` from `address` on.
std::uint64_t table_pages(std::uint64_t address, std::uint64_t bytes);

} // namespace tenon::tools
