// What this is: the state a PV guest starts in: registers, selectors, flags, boot_info, initial mapping,
// console.
//
// Run with: arguments="color=blue"
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"

using namespace guest;

namespace {

void check_registers()
{
    const EntryState& r = entry_registers;
    CHECK_EQ(r.rsi, boot_info);
    for (u64 value : {r.rax, r.rcx, r.rdx, r.rbx, r.rbp, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15})
        CHECK_EQ(value, 0);
    CHECK_EQ(r.rflags, 0x202);
    CHECK_EQ(entry_selectors.cs, flat_cs);
    CHECK_EQ(entry_selectors.ss, flat_ss);
    for (u16 selector : {entry_selectors.ds, entry_selectors.es, entry_selectors.fs, entry_selectors.gs})
        CHECK_EQ(selector, 0);
}

void check_start_info()
{
    CHECK_EQ(strncmp(boot_info->magic, "xen-3.0-x86_64", 14), 0);
    CHECK(boot_info->nr_pages > 1024);
    CHECK_EQ(boot_info->flags & (SIF_PRIVILEGED | SIF_INITDOMAIN), SIF_PRIVILEGED | SIF_INITDOMAIN);
    CHECK_EQ(boot_info->shared_info & (page_size - 1), 0);
    CHECK_EQ(boot_info->store_mfn, 0);
    CHECK_EQ(boot_info->store_evtchn, 0);
    CHECK_EQ(boot_info->mod_len, 0);
    CHECK_EQ(boot_info->mfn_list, 0x8000000000);
    CHECK(boot_info->first_p2m_pfn > pfn_of(image_end));
    CHECK(boot_info->nr_p2m_frames >= (boot_info->nr_pages * 8 + page_size - 1) / page_size);
    CHECK_TEXT(reinterpret_cast<const char*>(boot_info->cmd_line), "hello color=blue");
    CHECK_TEXT(argument("color"), "blue");
}

/// Image, boot_info, page tables, boot stack, in this order, then at least 512 KiB up to a 4 MiB boundary.
void check_layout()
{
    u64 info = number(boot_info), tables = boot_info->pt_base, table_end = tables + boot_info->nr_pt_frames * page_size;
    CHECK_EQ(info & (page_size - 1), 0);
    CHECK(info >= number(image_end));
    CHECK(tables > info);
    CHECK_EQ(entry_registers.rsp, table_end + page_size);

    u64 end = entry_registers.rsp;
    while (const u64* entry = entry_of(end)) {
        if (!(*entry & pte_p))
            break;
        end += page_size;
    }
    CHECK_EQ(end & (4 * 1024 * 1024 - 1), 0);
    CHECK(end - entry_registers.rsp >= 512 * 1024);

    for (u64 va = kernel_base; va < end; va += page_size) {
        u64 entry = *entry_of(va);
        if (va == number(shared))
            continue; // the framework's own change
        bool is_table = va >= tables && va < table_end;
        if (mfn_of_pte(entry) != phys_to_machine[(va - kernel_base) >> page_shift] || !!(entry & pte_w) == is_table || !(entry & pte_u) ||
            entry & pte_nx)
            give_up("entry of %lx is %lx", va, entry);
    }
    CHECK_EQ(boot_info->nr_pt_frames, 3 + ((end - kernel_base) >> 21));
}

void check_p2m()
{
    for (u64 pfn = 0; pfn < boot_info->nr_pages; pfn++)
        if (phys_of_mfn(phys_to_machine[pfn]) != pfn)
            give_up("m2p[p2m[%lx]] is %lx", pfn, phys_of_mfn(phys_to_machine[pfn]));
    CHECK(true);
    // The list and its own page tables lie where start_info says.
    u64 first = boot_info->first_p2m_pfn, last = first + boot_info->nr_p2m_frames;
    for (int level = 1; level < 4; level++) {
        u64 mfn = mfn_of_pte(*entry_of(boot_info->mfn_list, 4));
        CHECK(phys_of_mfn(mfn) >= first && phys_of_mfn(mfn) < last);
    }
    // The rest of its last page is the guest's to write.
    u64* tail = phys_to_machine + boot_info->nr_pages;
    for (; number(tail) & (page_size - 1); tail++)
        *tail = ~0ull;
}

void check_shared_info()
{
    CHECK_EQ(vcpu0->evtchn_upcall_mask, 1);
    CHECK(vcpu0->time.tsc_to_system_mul != 0);
    CHECK_EQ(vcpu0->time.version & 1, 0);
    CHECK(shared->wc_sec != 0);
}

} // namespace

void guest::test()
{
    print("Hello from a guest with %lu pages, magic %s, flags %x\n", boot_info->nr_pages, boot_info->magic, boot_info->flags);
    check_registers();
    check_start_info();
    check_layout();
    check_p2m();
    check_shared_info();
    CHECK_EQ(hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, 0, "x"), 0);
    CHECK_EQ(hypercall(63), -38);
}
