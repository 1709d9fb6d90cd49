// The arithmetic of the initial memory layout.
#include "boot_layout.hpp"

#include <tools/lib/error.hpp>

namespace tenon::tools {

namespace {

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

} // namespace

std::uint64_t table_pages(std::uint64_t address, std::uint64_t bytes)
{
    std::uint64_t count = 0;
    auto last = address + bytes - 1;
    for (unsigned shift : {21, 30, 39}) // what one L1, L2, L3 table covers
        count += (last >> shift) - (address >> shift) + 1;
    return count;
}

BootLayout BootLayout::plan(const KernelImage& kernel, std::uint64_t initrd_bytes, std::uint64_t pages)
{
    BootLayout layout{};
    layout.virtual_base = kernel.virtual_base;
    layout.pages = pages;
    Pfn next = pages_for(kernel.end);
    auto take = [&next](std::uint64_t count) {
        FrameRange range{next, count};
        next += count;
        return range;
    };

    auto p2m_pages = pages_for(pages * sizeof(Mfn));
    layout.initrd_mapped = initrd_bytes != 0 && !kernel.initrd_by_frame;
    if (layout.initrd_mapped)
        layout.initrd = take(pages_for(initrd_bytes));
    if (!kernel.p2m_address) {
        layout.p2m = take(p2m_pages);
        layout.p2m_address = layout.address_of(layout.p2m.first);
    }
    layout.start_info = take(1);
    layout.store_ring = take(1);
    layout.console_ring = take(1);

    // More tables may make the mapping longer, and that need more tables: until it fits.
    constexpr std::uint64_t unit = (4 << 20) >> page_shift, padding = (512 << 10) >> page_shift;
    std::uint64_t tables = 0;
    for (std::uint64_t needed = 1; needed != tables;) {
        tables = needed;
        layout.mapped_end = round_up(next + tables + 1 + padding, unit);
        needed = 1 + table_pages(kernel.virtual_base, layout.mapped_end << page_shift);
    }
    layout.tables = take(tables);
    layout.stack = take(1);

    next = layout.mapped_end;
    if (initrd_bytes != 0 && !layout.initrd_mapped)
        layout.initrd = take(pages_for(initrd_bytes));
    if (kernel.p2m_address) {
        layout.p2m_address = *kernel.p2m_address;
        layout.p2m = take(p2m_pages);
        layout.p2m_tables = take(table_pages(layout.p2m_address, p2m_pages << page_shift));
    }
    if (next > pages)
        throw Error(fmt::format("memory: {} MiB do not hold kernel, initrd and page tables: at least {} MiB", pages >> 8,
                                round_up(next, 256) >> 8));
    return layout;
}

} // namespace tenon::tools
