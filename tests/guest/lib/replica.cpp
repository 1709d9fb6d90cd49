// What this is: a domain builder for one kernel: the image that runs here.
#include "replica.hpp"

#include "check.hpp"
#include "paging.hpp"
#include "runtime.hpp"

namespace guest {

namespace {

u64 scratch_va()
{
    static u64 va = take_empty_va();
    return va;
}

u64 va_of_pfn(u64 pfn) { return kernel_base + pfn * page_size; }

void fill_image(Replica&, u32 pfn, u64* page)
{
    const u64* entry = entry_of(va_of_pfn(pfn));
    if (entry && *entry & pte_p)
        memcpy(page, reinterpret_cast<void*>(va_of_pfn(pfn)), page_size);
}

void fill_table(Replica& r, u32 pfn, u64* page)
{
    auto table = [&](u32 next) { return r.frames[next] << page_shift | pte_table; };
    switch (pfn) {
    case Replica::l4: page[index_at(kernel_base, 4)] = table(Replica::l3); return;
    case Replica::l3: page[index_at(kernel_base, 3)] = table(Replica::l2); return;
    case Replica::l2:
        for (u32 i = 0; Replica::l1 + i < Replica::low_pages; i++)
            page[index_at(kernel_base, 2) + i] = table(Replica::l1 + i);
        return;
    }
    for (u32 i = 0, at = (pfn - Replica::l1) * 512; i < 512; i++, at++)
        if (at < Replica::max_pages && r.frames[at])
            page[i] = r.frames[at] << page_shift | (at >= Replica::l4 && at < Replica::low_pages ? pte_ro : pte_rw);
}

void fill_list(Replica& r, u32 pfn, u64* page)
{
    for (u32 i = 0, at = (pfn - Replica::list) * 512; i < 512 && at < Replica::max_pages; i++, at++)
        page[i] = r.frames[at];
}

void fill_info(Replica& r, u32, u64* page)
{
    auto* info = reinterpret_cast<start_info*>(page);
    memcpy(info->magic, "xen-3.0-x86_64", 15);
    info->nr_pages = Replica::max_pages;
    info->shared_info = r.info().shared_info_frame << page_shift;
    info->pt_base = va_of_pfn(Replica::l4);
    info->nr_pt_frames = Replica::low_pages - Replica::l4;
    info->mfn_list = va_of_pfn(Replica::list);
}

} // namespace

volatile u64* words_of_parent() { return reinterpret_cast<u64*>(boot_info) + Replica::first_word; }

u32 Replica::image_end_pfn() const { return static_cast<u32>(pfn_of(image_end)); }

long Replica::create(u32 vcpus)
{
    xen_domctl op{};
    auto& c = op.u.createdomain;
    c.max_vcpus = vcpus;
    c.max_evtchn_port = 1023;
    c.max_grant_frames = c.max_maptrack_frames = -1;
    c.grant_opts = 1;
    if (long rc = domctl(op, XEN_DOMCTL_createdomain, 0xffff))
        return rc;
    id = op.domain;
    op = {};
    op.u.max_vcpus.max = vcpus;
    if (long rc = domctl(op, XEN_DOMCTL_max_vcpus, id))
        return rc;
    op = {};
    op.u.max_mem.max_memkb = max_pages * 4;
    if (long rc = domctl(op, XEN_DOMCTL_max_mem, id))
        return rc;
    if (image_end_pfn() > max_pages)
        return -XEN_ENOSPC;
    static u64 list[max_pages];
    u32 count = 0;
    for (u32 pfn = 0; pfn < image_end_pfn(); pfn++)
        if (pfn < low_pages || pfn >= image_pfn)
            list[count++] = pfn;
    xen_memory_reservation memory{number(list), count, 0, 0, id};
    long got = memory_op(XENMEM_populate_physmap, &memory);
    if (got != static_cast<long>(count))
        return got < 0 ? got : -XEN_ENOMEM;
    count = 0;
    for (u32 pfn = 0; pfn < max_pages; pfn++)
        frames[pfn] = pfn < low_pages || (pfn >= image_pfn && pfn < image_end_pfn()) ? list[count++] : 0;
    return 0;
}

long Replica::fill_page(u32 pfn, void (*fill)(Replica&, u32, u64*))
{
    if (long rc = map_foreign(id, frames[pfn], scratch_va(), pte_rw))
        return rc;
    auto page = reinterpret_cast<u64*>(scratch_va());
    memset(page, 0, page_size);
    fill(*this, pfn, page);
    return map_foreign(id, 0, scratch_va(), 0);
}

long Replica::build()
{
    for (u32 pfn = 0; pfn < image_end_pfn(); pfn++) {
        if (!frames[pfn])
            continue;
        auto fill = pfn >= image_pfn ? fill_image : pfn >= l4 ? fill_table : pfn >= list ? fill_list : fill_info;
        if (long rc = fill_page(pfn, fill))
            return rc;
    }
    if (long rc = mmuext(MMUEXT_PIN_L4_TABLE, frames[l4], 0, id))
        return rc;
    if (!words_va)
        words_va = take_empty_va();
    if (long rc = map_foreign(id, frames[info_page], words_va, pte_rw))
        return rc;
    words = reinterpret_cast<volatile u64*>(words_va) + first_word;

    extern char start_address[] asm("start");
    return set_context(number(start_address), 0, va_of_pfn(info_page), number(boot_stack_top), frames[l4]);
}

long Replica::destroy()
{
    if (words)
        map_foreign(id, 0, words_va, 0);
    words = nullptr;
    return destroy_within(10'000);
}

} // namespace guest
