// The public order: kernel, initrd (unless it may be unmapped), p2m (unless it has a place of its own), start_info, page tables, stack,
// at least 512 KiB of room, then up to the next 4 MiB boundary.
#include "layout.hpp"

namespace tenon::x86::dom0 {

Result<Layout> plan(const KernelImage& image, u64 pages, u64 initrd_bytes)
{
    constexpr u64 four_mib = 0x40'0000, room = 0x8'0000, top_slot = u64{1} << 39;
    Layout l;
    l.virt_base = image.virt_base;
    if (image.virt_base % four_mib || image.end <= image.virt_base || image.end - image.virt_base > top_slot / 4)
        return Error::inval;
    u64 at = l.kernel_end = align_up(image.end, page_size);
    auto place = [&](u64 count) { return std::exchange(at, at + count * page_size); };
    l.initrd_pages = pages_for(initrd_bytes);
    l.p2m_pages = pages_for(pages * 8);
    if (l.initrd_pages && !image.mod_start_pfn) {
        l.initrd = place(l.initrd_pages);
        l.initrd_pfn = l.pfn_of(l.initrd);
    }
    if (image.init_p2m) {
        l.p2m = *image.init_p2m;
        const u64 end = l.p2m + l.p2m_pages * page_size;
        if (l.p2m % top_slot || end <= l.p2m)
            return Error::inval;
        l.p2m_table_pages = tables_touched(l.p2m, end);
    } else {
        l.p2m = place(l.p2m_pages);
        l.p2m_pfn = l.pfn_of(l.p2m);
    }
    l.start_info = place(1);
    l.tables = at;
    for (l.table_pages = 4;;) {
        l.stack = l.tables + l.table_pages * page_size;
        l.end = align_up(l.stack + page_size + room, four_mib);
        if (l.end <= l.virt_base || l.end - l.virt_base > top_slot) // a list or an initrd that does not fit below the end of addresses
            return Error::nomem;
        const u64 need = 1 + tables_touched(l.virt_base, l.end);
        if (need <= l.table_pages)
            break;
        l.table_pages = need;
    }
    u64 pfn = l.pfn_of(l.end);
    if (l.initrd_pages && image.mod_start_pfn)
        l.initrd_pfn = std::exchange(pfn, pfn + l.initrd_pages);
    if (image.init_p2m)
        l.p2m_pfn = std::exchange(pfn, pfn + l.p2m_pages + l.p2m_table_pages);
    if (pfn + 256 > pages)
        return Error::nomem;
    return l;
}

} // namespace tenon::x86::dom0
