// What this is: the grant table, with this domain on both ends: setup, mapping by address and by page-table
// entry, unmapping, copying, and every status that a bad request earns.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

volatile grant_entry_v1* table; ///< one frame of it
constexpr u32 free_ref = 8;     ///< the first eight are spoken for
constexpr u32 leaked_ref = 20;

void grant(u32 ref, const void* page, u16 flags = GTF_permit_access, u16 domain = 0)
{
    table[ref].domid = domain;
    table[ref].frame = static_cast<u32>(mfn_of(page));
    barrier();
    table[ref].flags = flags;
}
void end_grant(u32 ref) { table[ref].flags = 0; }

gnttab_map_grant_ref map(u64 address, u32 flags, u32 ref, u16 domain = 0)
{
    gnttab_map_grant_ref op{address, flags, ref, domain, 0x7777, 0, 0};
    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    return op;
}
long unmap(u64 address, u32 handle, u64 bus_address = 0)
{
    gnttab_unmap_grant_ref op{address, bus_address, handle, 0x7777};
    CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

void check_setup()
{
    gnttab_query_size size{DOMID_SELF, 0, 0, 1};
    CHECK_EQ(grant_op(GNTTABOP_query_size, &size, 1), 0);
    CHECK_EQ(size.status, GNTST_okay);
    CHECK(size.max_nr_frames >= 4);
    print("grant table: %u of %u frames\n", size.nr_frames, size.max_nr_frames);
    u64 frames[4] = {};
    gnttab_setup_table setup{DOMID_SELF, 2, 1, number(frames)};
    CHECK_EQ(grant_op(GNTTABOP_setup_table, &setup, 1), 0);
    CHECK_EQ(setup.status, GNTST_okay);
    REQUIRE_EQ(frames[0] != 0 && frames[1] != 0, true);
    u64 va = take_empty_va();
    REQUIRE_EQ(update_va_mapping(va, frames[0] << page_shift | pte_rw), 0);
    table = reinterpret_cast<grant_entry_v1*>(va);
    for (int i = free_ref; i < 512; i++)
        CHECK_EQ(table[i].flags, 0);
    gnttab_get_version version{DOMID_SELF, 0, 0};
    CHECK_EQ(grant_op(GNTTABOP_get_version, &version, 1), 0);
    CHECK_EQ(version.version, 1);
    // More than there may be, and nobody's.
    setup.nr_frames = size.max_nr_frames + 1;
    CHECK_EQ(grant_op(GNTTABOP_setup_table, &setup, 1), 0);
    CHECK_EQ(setup.status, GNTST_general_error);
    setup = {99, 1, 1, number(frames)};
    CHECK_EQ(grant_op(GNTTABOP_setup_table, &setup, 1), 0);
    CHECK_EQ(setup.status, GNTST_bad_domain);
    setup = {DOMID_SELF, 1, 1, 1ul << 63};
    long rc = grant_op(GNTTABOP_setup_table, &setup, 1);
    CHECK(rc == -XEN_EFAULT || setup.status == GNTST_bad_virt_addr);
    size.dom = 99;
    CHECK_EQ(grant_op(GNTTABOP_query_size, &size, 1), 0);
    CHECK_EQ(size.status, GNTST_bad_domain);
}

void check_map_by_address()
{
    auto page = static_cast<u64*>(take_page());
    page[0] = 0x1111;
    grant(free_ref, page);
    u64 va = take_empty_va();
    auto word = reinterpret_cast<volatile u64*>(va);
    auto op = map(va, GNTMAP_host_map, free_ref);
    CHECK_EQ(op.status, GNTST_okay);
    CHECK_EQ(op.dev_bus_addr, mfn_of(page) << page_shift);
    CHECK_EQ(word[0], 0x1111);
    word[1] = 0x2222;
    CHECK_EQ(page[1], 0x2222);
    CHECK_EQ(table[free_ref].flags, GTF_permit_access | GTF_reading | GTF_writing);
    // A second mapping of the same reference, read-only.
    u64 second_va = take_empty_va();
    auto second = map(second_va, GNTMAP_host_map | GNTMAP_readonly, free_ref);
    CHECK_EQ(second.status, GNTST_okay);
    CHECK(second.handle != op.handle);
    CHECK(catch_trap([=] { *reinterpret_cast<volatile u64*>(second_va) = 0; }).is(vector_pf));
    CHECK_EQ(unmap(va, op.handle), GNTST_okay);
    CHECK_EQ(*entry_of(va), 0);
    CHECK(catch_trap([=] { (void)word[0]; }).is(vector_pf));
    CHECK_EQ(table[free_ref].flags, GTF_permit_access | GTF_reading); // the writer is gone
    CHECK_EQ(unmap(va, op.handle), GNTST_bad_handle);
    CHECK_EQ(unmap(second_va, second.handle), GNTST_okay);
    CHECK_EQ(table[free_ref].flags, GTF_permit_access);
    end_grant(free_ref);
}

void check_map_by_entry()
{
    auto page = static_cast<u64*>(take_page());
    page[0] = 0x3333;
    grant(free_ref, page);
    u64 va = take_empty_va();
    auto op = map(entry_maddr(va), GNTMAP_host_map | GNTMAP_contains_pte | GNTMAP_application_map | 1u << _GNTMAP_guest_avail0, free_ref);
    CHECK_EQ(op.status, GNTST_okay);
    CHECK_EQ(*reinterpret_cast<volatile u64*>(va), 0x3333);
    CHECK_EQ(*entry_of(va) >> 9 & 7, 1); // guest_avail0
    CHECK_EQ(*entry_of(va) & (pte_p | pte_w | pte_u), pte_p | pte_w | pte_u);
    CHECK_EQ(unmap(entry_maddr(va), op.handle), GNTST_okay);
    CHECK_EQ(*entry_of(va), 0);
    // An entry that is not in an L1.
    op = map(maddr_of(current_l4() + 300), GNTMAP_host_map | GNTMAP_contains_pte, free_ref);
    CHECK_REFUSED(op.status, GNTST_general_error);
    op = map(maddr_of(page + 8), GNTMAP_host_map | GNTMAP_contains_pte, free_ref);
    CHECK_REFUSED(op.status, GNTST_general_error);
    op = map(0x000ffffffffff000, GNTMAP_host_map | GNTMAP_contains_pte, free_ref);
    CHECK_REFUSED(op.status, GNTST_general_error);
    CHECK_EQ(table[free_ref].flags, GTF_permit_access);
    // An entry that says something else by the time it is unmapped: refused, and still mapped.
    op = map(entry_maddr(va), GNTMAP_host_map | GNTMAP_contains_pte, free_ref);
    CHECK_EQ(op.status, GNTST_okay);
    u64 other = take_empty_va();
    CHECK(unmap(entry_maddr(other), op.handle) < 0);
    CHECK(table[free_ref].flags & GTF_reading);
    CHECK_EQ(unmap(entry_maddr(va), op.handle), GNTST_okay);
    CHECK_EQ(table[free_ref].flags, GTF_permit_access);
    end_grant(free_ref);
}

void check_refused_maps()
{
    void* page = take_page();
    u64 va = take_empty_va();
    auto refused = [&](u32 flags, u32 ref, int status, u16 domain = 0, u64 address = 0) {
        auto op = map(address ? address : va, flags, ref, domain);
        CHECK_REFUSED(op.status, status);
        CHECK_EQ(*entry_of(va), 0);
    };
    refused(GNTMAP_host_map, free_ref, GNTST_general_error); // not granted
    grant(free_ref, page, GTF_permit_access, 77);
    refused(GNTMAP_host_map, free_ref, GNTST_general_error); // to somebody else
    grant(free_ref, page, GTF_permit_access | GTF_readonly);
    refused(GNTMAP_host_map, free_ref, GNTST_general_error); // writable
    CHECK_EQ(table[free_ref].flags, GTF_permit_access | GTF_readonly);
    auto op = map(va, GNTMAP_host_map | GNTMAP_readonly, free_ref);
    CHECK_EQ(op.status, GNTST_okay);
    CHECK_EQ(unmap(va, op.handle), GNTST_okay);
    grant(free_ref, page, GTF_accept_transfer);
    refused(GNTMAP_host_map, free_ref, GNTST_general_error);
    refused(0, free_ref, GNTST_bad_gntref); // neither host nor device
    refused(GNTMAP_host_map, 100000, GNTST_bad_gntref);
    refused(GNTMAP_host_map, ~0u, GNTST_bad_gntref);
    refused(GNTMAP_host_map, free_ref, GNTST_bad_domain, 99);
    refused(GNTMAP_host_map, free_ref, GNTST_bad_domain, DOMID_SELF); // granters are named by number
    grant(free_ref, page);
    refused(GNTMAP_host_map, free_ref, GNTST_general_error, 0, 0x1000); // no L1 there
    refused(GNTMAP_host_map, free_ref, GNTST_general_error, 0, hypervisor_start);
    refused(GNTMAP_host_map, free_ref, GNTST_general_error, 0, 1ul << 63);
    CHECK_EQ(table[free_ref].flags, GTF_permit_access);
    // A granted page table may be mapped read-only, never writable.
    grant(free_ref, current_l4());
    refused(GNTMAP_host_map, free_ref, GNTST_general_error);
    // A frame that is not the granter's.
    table[free_ref].frame = 0xffffffff;
    table[free_ref].flags = GTF_permit_access;
    refused(GNTMAP_host_map, free_ref, GNTST_bad_page);
    end_grant(free_ref);
    CHECK_EQ(unmap(va, 12345), GNTST_bad_handle);
    CHECK_EQ(unmap(va, ~0u), GNTST_bad_handle);
    CHECK_EQ(table[free_ref].flags, 0);
}

/// A mapping that the guest overwrote by itself: the reference must neither leak into a new owner nor crash
/// anything.
void check_overwritten_mapping()
{
    auto page = static_cast<u64*>(take_page());
    grant(leaked_ref, page);
    u64 va = take_empty_va();
    auto op = map(va, GNTMAP_host_map, leaked_ref);
    CHECK_EQ(op.status, GNTST_okay);
    void* mine = take_page();
    CHECK_EQ(update_va_mapping(va, mfn_of(mine) << page_shift | pte_rw), 0);
    CHECK(unmap(va, op.handle) < 0);
    CHECK_EQ(*entry_of(va) & pte_frame_mask, mfn_of(mine) << page_shift);
    CHECK_EQ(update_va_mapping(va, 0), 0);
    long status = unmap(va, op.handle);
    print("unmap of a cleared mapping: %ld, flags %x\n", status, table[leaked_ref].flags);
    end_grant(leaked_ref);
}

gnttab_copy copy_op(u64 source, u16 source_offset, u64 dest, u16 dest_offset, u16 length, u16 flags)
{
    gnttab_copy op{};
    op.source.domid = op.dest.domid = DOMID_SELF;
    op.source.u.gmfn = source, op.dest.u.gmfn = dest;
    op.source.offset = source_offset, op.dest.offset = dest_offset;
    op.len = length;
    op.flags = flags;
    op.status = 0x7777;
    return op;
}

long copy(gnttab_copy op)
{
    CHECK_EQ(grant_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

void check_copy()
{
    auto from = static_cast<u8*>(take_page()), to = static_cast<u8*>(take_page());
    for (unsigned i = 0; i < page_size; i++)
        from[i] = static_cast<u8>(i * 7);
    grant(free_ref, from);
    grant(free_ref + 1, to);
    CHECK_EQ(copy(copy_op(free_ref, 0, mfn_of(to), 0, page_size, GNTCOPY_source_gref)), GNTST_okay);
    CHECK_EQ(memcmp(from, to, page_size), 0);
    memset(to, 0, page_size);
    CHECK_EQ(copy(copy_op(mfn_of(from), 10, free_ref + 1, 100, 50, GNTCOPY_dest_gref)), GNTST_okay);
    CHECK_EQ(memcmp(from + 10, to + 100, 50), 0);
    CHECK_EQ(to[99] | to[150], 0);
    CHECK_EQ(copy(copy_op(free_ref, 1, free_ref + 1, 0, 4095, GNTCOPY_source_gref | GNTCOPY_dest_gref)), GNTST_okay);
    CHECK_EQ(memcmp(from + 1, to, 4095), 0);
    CHECK_EQ(copy(copy_op(mfn_of(from), 0, mfn_of(to), 0, 0, 0)), GNTST_okay);
    CHECK_EQ(table[free_ref].flags, GTF_permit_access);
    CHECK_EQ(table[free_ref + 1].flags, GTF_permit_access);

    CHECK_EQ(copy(copy_op(free_ref, 4000, free_ref + 1, 0, 100, 3)), GNTST_bad_copy_arg); // off the page
    CHECK_EQ(copy(copy_op(free_ref, 0, free_ref + 1, 4000, 100, 3)), GNTST_bad_copy_arg);
    CHECK_EQ(copy(copy_op(free_ref, 0xffff, free_ref + 1, 0, 0xffff, 3)), GNTST_bad_copy_arg);
    CHECK_EQ(copy(copy_op(9999999, 0, free_ref + 1, 0, 1, 3)), GNTST_bad_gntref);
    CHECK_EQ(copy(copy_op(free_ref + 2, 0, free_ref + 1, 0, 1, 3)), GNTST_general_error); // not granted
    grant(free_ref + 1, to, GTF_permit_access | GTF_readonly);
    CHECK_EQ(copy(copy_op(free_ref, 0, free_ref + 1, 0, 1, 3)), GNTST_general_error);
    // Never into a table, and never from or to what is not ours.
    CHECK(copy(copy_op(free_ref, 0, mfn_of(current_l4()), 0, 8, GNTCOPY_source_gref)) < 0);
    CHECK_EQ(copy(copy_op(0xfffffff, 0, mfn_of(to), 0, 8, 0)), GNTST_bad_page);
    CHECK_EQ(copy(copy_op(free_ref, 0, 0xfffffff, 0, 8, GNTCOPY_source_gref)), GNTST_bad_page);
    auto op = copy_op(free_ref, 0, mfn_of(to), 0, 8, GNTCOPY_source_gref);
    op.source.domid = 99;
    CHECK_EQ(copy(op), GNTST_bad_domain);
    // By frame number only one's own.
    op = copy_op(mfn_of(from), 0, mfn_of(to), 0, 8, 0);
    op.source.domid = 0;
    long status = copy(op);
    CHECK(status == GNTST_okay || status == GNTST_permission_denied); // domain 0 is ourselves
    end_grant(free_ref);
    end_grant(free_ref + 1);
}

void check_batches_and_pointers()
{
    static gnttab_copy ops[300];
    auto from = static_cast<u64*>(take_page()), to = static_cast<u64*>(take_page());
    for (unsigned i = 0; i < 300; i++)
        ops[i] = copy_op(mfn_of(from), 0, mfn_of(to), 0, 8, 0);
    ops[150].len = 5000;
    CHECK_EQ(grant_op(GNTTABOP_copy, ops, 300), 0);
    CHECK_EQ(ops[149].status, GNTST_okay);
    CHECK_EQ(ops[150].status, GNTST_bad_copy_arg);
    CHECK_EQ(ops[299].status, GNTST_okay);
    for (u32 command : {GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_setup_table, GNTTABOP_copy, GNTTABOP_query_size}) {
        CHECK_EQ(grant_op(command, reinterpret_cast<void*>(1ul << 63), 1), -XEN_EFAULT);
        CHECK_EQ(grant_op(command, reinterpret_cast<void*>(take_empty_va()), 1), -XEN_EFAULT);
    }
    CHECK_EQ(grant_op(GNTTABOP_copy, ops, 0), 0);
    CHECK_EQ(grant_op(99, ops, 1), -XEN_ENOSYS);
    CHECK(grant_op(GNTTABOP_copy, ops, ~0u) < 0);
}

} // namespace

void guest::test()
{
    check_setup();
    check_map_by_address();
    check_map_by_entry();
    check_refused_maps();
    check_overwritten_mapping();
    check_copy();
    check_batches_and_pointers();
}
