// What this is: mmu_update in all its commands, on ordinary pages and on tables of every level, and every
// entry it must refuse. A refused entry changes nothing.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

u64 highest_mfn()
{
    xen_machphys_mapping mapping{};
    memory_op(XENMEM_machphys_mapping, &mapping);
    return mapping.max_mfn;
}

u64 entry_for(const void* page, u64 bits) { return mfn_of(page) << page_shift | bits; }

/// An ordinary page is simply written.
void check_plain_page()
{
    auto page = static_cast<u64*>(take_page());
    CHECK_EQ(mmu_update_one(maddr_of(page + 3), 0xdeadbeef12345678), 0);
    CHECK_EQ(page[3], 0xdeadbeef12345678);
    CHECK_EQ(mmu_update_one(maddr_of(page + 3) | MMU_PT_UPDATE_PRESERVE_AD, 0x123), 0);
    CHECK_EQ(mmu_update_one(maddr_of(page + 4) | MMU_PT_UPDATE_NO_TRANSLATE, 0x456), 0);
    CHECK_EQ(page[4], 0x456);
    // Read-only at this alias does not matter.
    CHECK_EQ(make_ro(page), 0);
    CHECK_EQ(mmu_update_one(maddr_of(page + 5), 0x789), 0);
    CHECK_EQ(page[5], 0x789);
    CHECK_EQ(make_rw(page), 0);
    // Not on an 8-byte boundary: bit 2 is read as part of the command.
    CHECK_REFUSED(mmu_update_one(maddr_of(page + 6) + 4, 1), -XEN_ENOSYS);
    CHECK_EQ(page[6] | page[7], 0);
}

void check_l1()
{
    u64 va = take_empty_va(), slot = entry_maddr(va);
    auto page = static_cast<u64*>(take_page());
    page[0] = 0xabcd;
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_rw)), 0);
    CHECK_EQ(*reinterpret_cast<volatile u64*>(va), 0xabcd);
    *reinterpret_cast<volatile u64*>(va) = 0xef01;
    CHECK_EQ(page[0], 0xef01);
    // The user bit is set by the hypervisor; software bits are the guest's.
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_p | pte_w | 0xe00 | 1ull << 58)), 0);
    mmuext(MMUEXT_INVLPG_LOCAL, va);
    CHECK_EQ(*entry_of(va) & (pte_p | pte_w | pte_u | 0xe00 | 1ull << 58), pte_p | pte_w | pte_u | 0xe00 | 1ull << 58);
    *reinterpret_cast<volatile u64*>(va) = 2;
    // NX, PWT, PCD, PAT, G.
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_ro | pte_nx | pte_pwt | pte_pcd)), 0);
    CHECK_EQ(*entry_of(va) & (pte_nx | pte_pwt | pte_pcd), pte_nx | pte_pwt | pte_pcd);
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_ro | 0x80)), 0);
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_ro | pte_g)), 0);
    // A and D survive PRESERVE_AD and nothing else.
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_rw)), 0);
    CHECK_EQ(mmu_update_one(slot | MMU_PT_UPDATE_PRESERVE_AD, entry_for(page, pte_p | pte_u)), 0);
    CHECK_EQ(*entry_of(va) & (pte_a | pte_d), pte_a | pte_d);
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_p | pte_u)), 0);
    CHECK_EQ(*entry_of(va) & (pte_a | pte_d), 0);
    // Linux maps frames of others so.
    CHECK_EQ(mmu_update_one(slot | MMU_PT_UPDATE_NO_TRANSLATE, entry_for(page, pte_rw)), 0);
    CHECK_EQ(*entry_of(va) & (pte_p | pte_w), pte_p | pte_w);
    CHECK_EQ(mmu_update_one(slot | MMU_PT_UPDATE_NO_TRANSLATE, entry_for(page, pte_p | pte_u)), 0);
    // Not present: anything goes, to the bit.
    for (u64 garbage : {0x7ffffffffffffffeul, 0xfffffffffffffffeul, 0x000ffffffffff000ul}) {
        CHECK_EQ(mmu_update_one(slot, garbage), 0);
        CHECK_EQ(*entry_of(va), garbage);
    }
    CHECK_EQ(mmu_update_one(slot, 0), 0);
    mmuext(MMUEXT_INVLPG_LOCAL, va);
    CHECK(catch_trap([=] { (void)*reinterpret_cast<volatile u64*>(va); }).is(vector_pf));
}

void check_refused_l1()
{
    u64 va = take_empty_va(), slot = entry_maddr(va);
    auto page = static_cast<u64*>(take_page());
    CHECK_EQ(mmu_update_one(slot, entry_for(page, pte_ro)), 0);
    u64 before = *entry_of(va);
    auto refused = [&](u64 value) {
        long rc = mmu_update_one(slot, value);
        if (!CHECK(rc < 0))
            print("  value %lx\n", value);
        CHECK_EQ(*entry_of(va), before);
        return rc;
    };
    // Page tables, whoever references them, writable.
    CHECK_REFUSED(refused(entry_for(current_l4(), pte_rw)), -XEN_EBUSY);
    CHECK_REFUSED(refused(entry_for(table_of(va, 1), pte_rw)), -XEN_EBUSY);
    CHECK_REFUSED(refused(entry_for(table_of(va, 2), pte_rw)), -XEN_EBUSY);
    CHECK_REFUSED(refused(entry_for(table_of(va, 3), pte_rw)), -XEN_EBUSY);
    // The hypervisor's own: its machine-to-phys table, its image, any frame it owns.
    u64 top = highest_mfn();
    unsigned tried = 0;
    for (u64 mfn = 0x100; mfn < top && tried < 300; mfn++) {
        u64 pfn = 0;
        if (catch_trap([&] { pfn = phys_of_mfn(mfn); }).taken)
            continue;
        if (pfn < boot_info->nr_pages && phys_to_machine[pfn] == mfn)
            continue;
        tried++;
        long rc = mmu_update_one(slot, mfn << page_shift | pte_rw);
        if (rc == 0) {
            print("frame %lx (m2p %lx) can be mapped writable\n", mfn, pfn);
            CHECK_EQ(mmu_update_one(slot, before), 0);
            CHECK(false);
            break;
        }
    }
    CHECK(tried > 0);
    CHECK_EQ(*entry_of(va), before);
    // Beyond what the CPU can address.
    refused(0x000ffffffffff000 | pte_ro);
    refused(1ull << 51 | pte_ro);
    CHECK_EQ(mmu_update_one(slot, 0), 0);
}

/// Device memory and firmware tables: a hardware domain maps them by frame number.
void check_device_memory()
{
    u64 va = take_empty_va(), slot = entry_maddr(va);
    CHECK_EQ(mmu_update_one(slot, 0xb8ul << page_shift | pte_rw | pte_pcd), 0); // VGA text
    CHECK_EQ(mmu_update_one(slot, 0xf0ul << page_shift | pte_ro), 0);           // BIOS
    mmuext(MMUEXT_INVLPG_LOCAL, va);
    (void)*reinterpret_cast<volatile u64*>(va);
    CHECK_EQ(mmu_update_one(slot, 0xe0000ul << page_shift | pte_rw | pte_pcd),
             0); // nothing there: still not RAM
    // The interrupt controllers are the hypervisor's: never writable.
    for (u64 mfn : {0xfec00ul, 0xfee00ul}) {
        long rc = mmu_update_one(slot, mfn << page_shift | pte_rw | pte_pcd);
        print("frame %lx: rc %ld entry %lx\n", mfn, rc, *entry_of(va));
        CHECK(rc < 0 || !(*entry_of(va) & pte_w));
    }
    CHECK_EQ(mmu_update_one(slot, 0), 0);
}

/// L2, L3 and L4: a child must be (or become) a table of the level below, and nothing else.
void check_upper_levels()
{
    u64 va = number(take_page());
    struct {
        int level;
        unsigned free_index;
    } cases[] = {{2, 500}, {3, 1}, {4, 300}};
    for (auto& c : cases) {
        u64* table = table_of(va, c.level);
        REQUIRE_EQ(table[c.free_index], 0);
        void* child = take_page();
        auto set = [&](u64 value) { return set_entry(table, c.free_index, value); };
        CHECK_EQ(set(entry_for(child, pte_table)), -XEN_EINVAL); // mapped writable
        CHECK_EQ(table[c.free_index], 0);
        CHECK_EQ(make_ro(child), 0);
        CHECK_EQ(set(entry_for(child, pte_table)), 0);
        CHECK_EQ(table[c.free_index] & (pte_frame_mask | pte_p | pte_u), mfn_of(child) << page_shift | pte_p | pte_u);
        CHECK_REFUSED(make_rw(child), -XEN_EBUSY);
        CHECK_EQ(set(0), 0);
        CHECK_EQ(make_rw(child), 0);
        // Large pages are not offered.
        if (c.level < 4)
            CHECK_EQ(set(entry_for(child, pte_rw | pte_ps)), -XEN_EINVAL);
        CHECK_EQ(set(entry_for(child, pte_table) | 1ull << 51), -XEN_EINVAL);
        // Wrong level: the current L1 of va as a child of everything above L2, the L2 of va below L2.
        void* wrong = c.level == 2 ? table_of(va, 2) : table_of(va, 1);
        CHECK(set(entry_for(wrong, pte_table)) < 0);
        CHECK_EQ(set(0xffffful << page_shift | pte_table), -XEN_EINVAL);
        CHECK_EQ(table[c.free_index], 0);
        // A child with a bad entry, and then a good one.
        auto words = static_cast<u64*>(child);
        words[7] = entry_for(current_l4(), c.level == 2 ? pte_rw : pte_table);
        CHECK_EQ(make_ro(child), 0);
        CHECK(set(entry_for(child, pte_table)) < 0);
        CHECK_EQ(make_rw(child), 0);
        words[7] = 0;
        // Not present: anything.
        CHECK_EQ(set(0xdeadbeef000), 0);
        CHECK_EQ(set(0), 0);
        // The same child twice is two references.
        CHECK_EQ(make_ro(child), 0);
        CHECK_EQ(set(entry_for(child, pte_table)), 0);
        CHECK_EQ(set_entry(table, c.free_index + 1, entry_for(child, pte_table)), 0);
        CHECK_EQ(set(0), 0);
        CHECK_REFUSED(make_rw(child), -XEN_EBUSY);
        CHECK_EQ(set_entry(table, c.free_index + 1, 0), 0);
        CHECK_EQ(make_rw(child), 0);
    }
}

/// L4 slots 256 to 271 are the hypervisor's.
void check_hypervisor_slots()
{
    void* child = take_page();
    CHECK_EQ(make_ro(child), 0);
    for (unsigned slot : {256u, 257u, 260u, 261u, 270u, 271u}) {
        u64 before = current_l4()[slot];
        CHECK(set_entry(current_l4(), slot, entry_for(child, pte_table)) < 0);
        CHECK(set_entry(current_l4(), slot, 0) < 0);
        CHECK_EQ(current_l4()[slot], before);
    }
    CHECK_EQ(make_rw(child), 0);
    CHECK_EQ(phys_of_mfn(mfn_of(child)), pfn_of(child));
}

/// An L4 that contains itself: readable at most, never a way to write a table.
void check_self_map()
{
    u64* l4 = current_l4();
    CHECK_EQ(set_entry(l4, 300, entry_for(l4, pte_rw)), -XEN_EINVAL);
    long rc = set_entry(l4, 300, entry_for(l4, pte_ro));
    print("read-only self map of the L4: %ld\n", rc);
    if (rc == 0) {
        u64 va = 0xffff000000000000ull | 300ull << 39 | 300ull << 30 | 300ull << 21 | 300ull << 12;
        CHECK_EQ(reinterpret_cast<volatile u64*>(va)[300], l4[300]);
        CHECK(catch_trap([=] { reinterpret_cast<volatile u64*>(va)[301] = 1; }).is(vector_pf));
        CHECK_EQ(set_entry(l4, 300, entry_for(l4, pte_rw)), -XEN_EINVAL);
        CHECK_EQ(set_entry(l4, 300, 0), 0);
    }
    mmuext(MMUEXT_TLB_FLUSH_LOCAL);
}

void check_machphys()
{
    void* page = take_page();
    u64 mfn = mfn_of(page), pfn = pfn_of(page);
    CHECK_EQ(mmu_update_one(mfn << page_shift | MMU_MACHPHYS_UPDATE, 0x4711), 0);
    CHECK_EQ(phys_of_mfn(mfn), 0x4711);
    CHECK_EQ(mmu_update_one(mfn << page_shift | MMU_MACHPHYS_UPDATE, pfn), 0);
    CHECK_EQ(phys_of_mfn(mfn), pfn);
    CHECK_EQ(mmu_update_one(0xb8000 | MMU_MACHPHYS_UPDATE, 1), -XEN_EINVAL);
    CHECK_EQ(mmu_update_one(0x000ffffffffff000 | MMU_MACHPHYS_UPDATE, 1), -XEN_EINVAL);
    u64 top = highest_mfn();
    CHECK(mmu_update_one(top << page_shift | MMU_MACHPHYS_UPDATE, 1) < 0);
}

void check_batches()
{
    auto page = static_cast<u64*>(take_page());
    mmu_update requests[64];
    for (u64 i = 0; i < 64; i++)
        requests[i] = {maddr_of(page + i), i + 100};
    u32 done = 77;
    CHECK_EQ(mmu_updates(requests, 64, &done), 0);
    CHECK_EQ(done, 64);
    CHECK_EQ(page[63], 163);
    done = 77;
    CHECK_EQ(mmu_updates(requests, 0, &done), 0);
    CHECK_EQ(done, 0);
    requests[5].ptr = 0x000ffffffffff000;
    CHECK_EQ(mmu_updates(requests, 64, &done), -XEN_EINVAL);
    CHECK_EQ(done, 5);
    // Requests that end in the middle of nowhere.
    auto pages = static_cast<char*>(take_pages(2));
    update_va_mapping(number(pages + page_size), 0);
    auto at_end = reinterpret_cast<mmu_update*>(pages + page_size - 2 * sizeof(mmu_update));
    at_end[0] = {maddr_of(page + 1), 1};
    at_end[1] = {maddr_of(page + 2), 2};
    CHECK_EQ(mmu_updates(at_end, 3, &done), -XEN_EFAULT);
    CHECK(done == 0 || done == 2); // all of the list may be looked at first
    CHECK_EQ(page[2], done ? 2 : 102);
    CHECK_EQ(mmu_updates(reinterpret_cast<mmu_update*>(1ul << 63), 1, &done), -XEN_EFAULT);
    CHECK_EQ(mmu_updates(reinterpret_cast<mmu_update*>(hypervisor_start + (4ul << 39)), 1), -XEN_EFAULT);
    // Whose frames. To Xen the caller's own number is no other name for DOMID_SELF.
    requests[0] = {maddr_of(page), 9};
    long rc = mmu_updates(requests, 1, nullptr, 0);
    CHECK(rc == -XEN_ESRCH || rc == 0);
    CHECK_EQ(mmu_updates(requests, 1, nullptr, 99), -XEN_ESRCH);
    CHECK_EQ(mmu_updates(requests, 1, nullptr, DOMID_INVALID), -XEN_ESRCH);
    CHECK_EQ(mmu_updates(requests, 1, nullptr, DOMID_SELF | 1 << 16), 0); // tables of domain 0
    CHECK_EQ(mmu_updates(requests, 1, nullptr, DOMID_SELF | 100 << 16), -XEN_ESRCH);
    update_va_mapping(number(pages + page_size), mfn_of(pages + page_size) << page_shift | pte_rw);
}

} // namespace

void guest::test()
{
    check_plain_page();
    check_l1();
    check_refused_l1();
    check_device_memory();
    check_upper_levels();
    check_hypervisor_slots();
    check_self_map();
    check_machphys();
    check_batches();
}
