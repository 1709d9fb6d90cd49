// Where everything lies in a new PV guest's address space and pseudo-physical memory. Pure arithmetic. [public header xen.h, startofday]
#pragma once
#include "../../boot/kernel_image.hpp"
#include <initializer_list>

namespace tenon::x86::dom0 {

struct Layout {
    u64 virt_base = 0;
    u64 kernel_end = 0;               ///< addresses from here on
    u64 initrd = 0, initrd_pages = 0; ///< address when mapped, else 0
    u64 initrd_pfn = 0;
    u64 p2m = 0, p2m_pages = 0;           ///< address of the list, its data pages
    u64 p2m_pfn = 0, p2m_table_pages = 0; ///< tables of its own, in front of it, when it lies outside the kernel's range
    u64 start_info = 0;
    u64 tables = 0, table_pages = 0; ///< first the L4
    u64 stack = 0;
    u64 end = 0; ///< 4 MiB aligned, everything below is mapped from virt_base on
    bool p2m_is_apart() const { return p2m_table_pages != 0; }
    u64 pfn_of(u64 va) const { return (va - virt_base) >> page_shift; }
};

/// Pages of tables below the L4 that [start, end) touches.
constexpr u64 tables_touched(u64 start, u64 end)
{
    u64 pages = 0;
    for (const unsigned shift : {21, 30, 39})
        pages += ((end - 1) >> shift) - (start >> shift) + 1;
    return pages;
}

/// Error::inval when the image's addresses make no sense, Error::nomem when `pages` do not hold it.
Result<Layout> plan(const KernelImage& image, u64 pages, u64 initrd_bytes);

} // namespace tenon::x86::dom0
