// What this is: two domains that share: grants in both directions, event channels, and what is left when one
// of them dies while the other still holds on.
//
// Run with: limit=60
#include "lib/check.hpp"
#include "lib/child.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

constexpr u32 ref = 8;
Child child;
volatile grant_entry_v1* child_table; ///< the child's grant table, in our address space
volatile grant_entry_v1* own_table;

u64 child_table_frame()
{
    u64 frame = 0;
    xen_mem_acquire_resource arg{};
    arg.domid = child.id;
    arg.type = XENMEM_resource_grant_table;
    arg.id = XENMEM_resource_grant_table_id_shared;
    CHECK_EQ(memory_op(XENMEM_acquire_resource, &arg), 0); // how many are there?
    CHECK(arg.nr_frames >= 1);
    arg.nr_frames = 1;
    arg.frame_list = number(&frame);
    CHECK_EQ(memory_op(XENMEM_acquire_resource, &arg), 0);
    arg.frame = 1ul << 40;
    CHECK(memory_op(XENMEM_acquire_resource, &arg) < 0);
    arg.frame = 0;
    arg.domid = 77;
    CHECK_EQ(memory_op(XENMEM_acquire_resource, &arg), -XEN_ESRCH);
    return frame;
}

void make_child(u64 table_va)
{
    u64 window = child.window_va;
    child = {};
    child.window_va = window;
    if (child.create() || child.build())
        give_up("no child");
    u64 frame = child_table_frame();
    REQUIRE_EQ(map_foreign(child.id, frame, table_va, pte_rw), 0);
    child_table = reinterpret_cast<volatile grant_entry_v1*>(table_va);
    if (child.start() || !child.wait_ready())
        give_up("the child does not run");
}

void grant(volatile grant_entry_v1* table, u32 which, u16 domain, u64 mfn, u16 flags = GTF_permit_access)
{
    table[which].domid = domain;
    table[which].frame = static_cast<u32>(mfn);
    barrier();
    table[which].flags = flags;
}

gnttab_map_grant_ref map(u16 domain, u32 which, u64 va, u32 flags)
{
    gnttab_map_grant_ref op{va, flags, which, domain, 1, 0, 0};
    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    return op;
}
long unmap(u64 va, u32 handle)
{
    gnttab_unmap_grant_ref op{va, 0, handle, 1};
    CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

/// The child grants, we map and copy.
void check_from_child()
{
    u64 va = take_empty_va();
    CHECK(map(child.id, ref, va, GNTMAP_host_map).status < 0); // nothing granted yet
    grant(child_table, ref, 0, child.frames[9]);
    auto op = map(child.id, ref, va, GNTMAP_host_map);
    CHECK_EQ(op.status, GNTST_okay);
    CHECK_EQ(op.dev_bus_addr, child.frames[9] << page_shift);
    auto words = reinterpret_cast<volatile u64*>(va);
    words[0] = 0x1234;
    CHECK_EQ(child_table[ref].flags, GTF_permit_access | GTF_reading | GTF_writing);
    // The child cannot give away or retype what we hold.
    auto reservation = child.argument<xen_memory_reservation>();
    *reservation = {child.argument_va(64), 1, 0, 0, DOMID_SELF};
    *child.argument<u64>(64) = child.frames[9];
    child.call(__HYPERVISOR_update_va_mapping, child.va(9), 0, UVMF_INVLPG);
    child.call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, child.argument_va());
    CHECK_EQ(words[0], 0x1234); // still the same page to us
    auto pin = child.argument<mmuext_op>();
    *pin = {};
    pin->cmd = MMUEXT_PIN_L1_TABLE;
    pin->arg1.mfn = child.frames[9];
    CHECK(child.call(__HYPERVISOR_mmuext_op, child.argument_va(), 1, 0, DOMID_SELF) < 0);
    CHECK_EQ(unmap(va, op.handle), GNTST_okay);
    child_table[ref].flags = 0;

    grant(child_table, ref, 0, child.frames[10], GTF_permit_access | GTF_readonly);
    CHECK(map(child.id, ref, va, GNTMAP_host_map).status < 0);
    gnttab_copy copy{};
    auto local = static_cast<u64*>(take_page());
    copy.source.u.ref = ref, copy.source.domid = child.id;
    copy.dest.u.gmfn = mfn_of(local), copy.dest.domid = DOMID_SELF;
    copy.len = 64, copy.flags = GNTCOPY_source_gref;
    u64 direct = take_empty_va();
    CHECK_EQ(map_foreign(child.id, child.frames[10], direct, pte_rw), 0);
    *reinterpret_cast<volatile u64*>(direct) = 0x4242;
    CHECK_EQ(map_foreign(child.id, 0, direct, 0), 0);
    CHECK_EQ(grant_op(GNTTABOP_copy, &copy, 1), 0);
    CHECK_EQ(copy.status, GNTST_okay);
    CHECK_EQ(local[0], 0x4242);
    copy = {};
    copy.source.u.gmfn = mfn_of(local), copy.source.domid = DOMID_SELF;
    copy.dest.u.ref = ref, copy.dest.domid = child.id;
    copy.len = 64, copy.flags = GNTCOPY_dest_gref;
    CHECK_EQ(grant_op(GNTTABOP_copy, &copy, 1), 0);
    CHECK(copy.status < 0); // read-only
    child_table[ref].flags = 0;
    // A reference to a frame that is not the child's.
    grant(child_table, ref, 0, mfn_of(local));
    CHECK(map(child.id, ref, va, GNTMAP_host_map).status < 0);
    child_table[ref].flags = 0;
    // A page of the child's tables: readable at most.
    grant(child_table, ref, 0, child.frames[Child::l1]);
    CHECK(map(child.id, ref, va, GNTMAP_host_map).status < 0);
    op = map(child.id, ref, va, GNTMAP_host_map | GNTMAP_readonly);
    if (op.status == GNTST_okay)
        CHECK_EQ(unmap(va, op.handle), GNTST_okay);
    child_table[ref].flags = 0;
}

/// We grant, the child maps.
void check_to_child()
{
    auto page = static_cast<volatile u64*>(take_page());
    page[0] = 0x5678;
    auto op = child.argument<gnttab_map_grant_ref>();
    auto child_maps = [&](u32 which, u32 flags) {
        *op = {child.entry_maddr(Child::slot_empty), flags | GNTMAP_contains_pte, which, 0, 1, 0, 0};
        CHECK_EQ(child.call(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, child.argument_va(), 1), 0);
        return op->status;
    };
    grant(own_table, ref, 77, mfn_of(const_cast<u64*>(page)));
    CHECK(child_maps(ref, GNTMAP_host_map) < 0); // somebody else's
    grant(own_table, ref, child.id, mfn_of(const_cast<u64*>(page)), GTF_permit_access | GTF_readonly);
    CHECK(child_maps(ref, GNTMAP_host_map) < 0);
    CHECK_EQ(child_maps(ref, GNTMAP_host_map | GNTMAP_readonly), GNTST_okay);
    CHECK_EQ(own_table[ref].flags, GTF_permit_access | GTF_readonly | GTF_reading);
    // It may not make that mapping writable by itself, nor map the frame by its number.
    CHECK(child.call(__HYPERVISOR_update_va_mapping, Child::slot_empty * page_size, mfn_of(const_cast<u64*>(page)) << page_shift | pte_rw,
                     UVMF_INVLPG) < 0);
    CHECK(child.call(__HYPERVISOR_update_va_mapping, (Child::slot_empty + 1) * page_size,
                     mfn_of(const_cast<u64*>(page)) << page_shift | pte_ro, UVMF_INVLPG) < 0);
    // Read through it: let the child write the page's first word to its console buffer... by copying it with
    // a grant copy of its own.
    auto undo = child.argument<gnttab_unmap_grant_ref>(128);
    *undo = {child.entry_maddr(Child::slot_empty), 0, op->handle, 1};
    CHECK_EQ(child.call(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, child.argument_va(128), 1), 0);
    CHECK_EQ(undo->status, GNTST_okay);
    CHECK_EQ(own_table[ref].flags, GTF_permit_access | GTF_readonly);
    auto copy = child.argument<gnttab_copy>(256);
    *copy = {};
    copy->source.u.ref = ref, copy->source.domid = 0;
    copy->dest.u.gmfn = child.frames[11], copy->dest.domid = DOMID_SELF;
    copy->len = 8, copy->flags = GNTCOPY_source_gref;
    CHECK_EQ(child.call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, child.argument_va(256), 1), 0);
    CHECK_EQ(copy->status, GNTST_okay);
    u64 va = take_empty_va();
    CHECK_EQ(map_foreign(child.id, child.frames[11], va, pte_rw), 0);
    CHECK_EQ(*reinterpret_cast<volatile u64*>(va), 0x5678);
    CHECK_EQ(map_foreign(child.id, 0, va, 0), 0);
    // By frame number out of our memory: never.
    copy->source.u.gmfn = mfn_of(const_cast<u64*>(page)), copy->flags = 0;
    CHECK_EQ(child.call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, child.argument_va(256), 1), 0);
    CHECK(copy->status < 0);
    own_table[ref].flags = 0;
}

/// A page of the child that we still map outlives it, and is nobody else's until we let go.
void check_death_while_mapped()
{
    u64 va = take_empty_va();
    grant(child_table, ref, 0, child.frames[12]);
    auto op = map(child.id, ref, va, GNTMAP_host_map);
    CHECK_EQ(op.status, GNTST_okay);
    auto words = reinterpret_cast<volatile u64*>(va);
    words[0] = 0xdead;
    CHECK_EQ(map_foreign(child.id, 0, number(const_cast<grant_entry_v1*>(child_table)), 0), 0);
    // And it holds one of ours.
    void* page = take_page();
    grant(own_table, ref, child.id, mfn_of(page));
    auto theirs = child.argument<gnttab_map_grant_ref>();
    *theirs = {child.entry_maddr(Child::slot_empty), GNTMAP_host_map | GNTMAP_contains_pte, ref, 0, 1, 0, 0};
    CHECK_EQ(child.call(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, child.argument_va(), 1), 0);
    CHECK_EQ(theirs->status, GNTST_okay);
    CHECK_EQ(own_table[ref].flags, GTF_permit_access | GTF_reading | GTF_writing);
    CHECK_EQ(child.destroy(), 0);
    for (int i = 0; i < 200; i++)
        sched_op(SCHEDOP_yield);
    CHECK_EQ(own_table[ref].flags, GTF_permit_access); // given back
    CHECK_EQ(make_ro(page), 0);
    CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page)), 0); // no writable mapping is left anywhere
    CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page)), 0);
    CHECK_EQ(words[0], 0xdead);
    words[1] = 1;
    long rc = 0;
    auto info = child.info(&rc);
    CHECK(rc == 0 ? (info.flags & XEN_DOMINF_dying) != 0 : rc == -XEN_ESRCH);
    u64 late_va = take_empty_va();
    auto late = map(child.id, ref, late_va, GNTMAP_host_map); // refused, or one more thing to wait for
    if (late.status == GNTST_okay)
        CHECK_EQ(unmap(late_va, late.handle), GNTST_okay);
    CHECK_EQ(unmap(va, op.handle), GNTST_okay);
    for (int i = 0; i < 1000 && rc == 0; i++) {
        child.info(&rc);
        sched_op(SCHEDOP_yield);
    }
    CHECK_EQ(rc, -XEN_ESRCH);
}

} // namespace

void guest::test()
{
    install_event_counter();
    u64 frame = 0, table_va = take_empty_va(), child_table_va = take_empty_va();
    gnttab_setup_table setup{DOMID_SELF, 1, 1, number(&frame)};
    CHECK_EQ(grant_op(GNTTABOP_setup_table, &setup, 1), 0);
    REQUIRE_EQ(update_va_mapping(table_va, frame << page_shift | pte_rw), 0);
    own_table = reinterpret_cast<volatile grant_entry_v1*>(table_va);
    make_child(child_table_va);
    check_from_child();
    check_to_child();
    check_death_while_mapped();
}
