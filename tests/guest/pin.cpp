// What this is: mmuext_op: pinning and unpinning tables of every level, base pointers, cache and TLB
// operations, and the page types that pins hold.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

u64 entry_for(const void* page, u64 bits) { return mfn_of(page) << page_shift | bits; }
long pin(int level, const void* page) { return mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfn_of(page)); }
long unpin(const void* page) { return mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page)); }

void check_every_level()
{
    for (int level = 1; level <= 4; level++) {
        void* page = take_page();
        CHECK_EQ(pin(level, page), -XEN_EINVAL); // mapped writable
        CHECK_EQ(make_ro(page), 0);
        CHECK_EQ(pin(level, page), 0);
        CHECK_EQ(pin(level, page), -XEN_EINVAL); // twice
        for (int other = 1; other <= 4; other++)
            CHECK_EQ(pin(other, page), -XEN_EINVAL);
        CHECK_REFUSED(make_rw(page), -XEN_EBUSY);
        CHECK_REFUSED(update_va_mapping(take_empty_va(), entry_for(page, pte_rw)),
                      -XEN_EBUSY); // no other alias, either
        CHECK_EQ(unpin(page), 0);
        CHECK_EQ(unpin(page), -XEN_EINVAL);
        CHECK_EQ(make_rw(page), 0);
        *static_cast<volatile u64*>(page) = 0; // truly writable again
    }
}

void check_bad_frames()
{
    for (u64 mfn : {0xb8ul, 0xffffful, 0xffffffffful, ~0ul, 0ul}) {
        for (u32 command : {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE, MMUEXT_NEW_BASEPTR})
            CHECK_EQ(mmuext(command, mfn), -XEN_EINVAL);
        if (mfn)
            CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn), -XEN_EINVAL);
    }
    CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, 0), 0);
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(take_page())), -XEN_EINVAL); // writable
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(table_of(kernel_base, 3))), -XEN_EINVAL);
    CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(table_of(kernel_base, 1))), -XEN_EINVAL);
    void* page = take_page();
    CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0, 99), -XEN_ESRCH);
}

/// A refused table leaves nothing behind: no reference, no type.
void check_refused_content()
{
    auto page = static_cast<u64*>(take_page());
    auto other = static_cast<u64*>(take_page());
    struct {
        int level;
        u64 entry;
    } cases[] = {
        {1, entry_for(current_l4(), pte_rw)},   // a writable mapping of a table
        {2, entry_for(page, pte_table)},        // itself
        {2, entry_for(other, pte_rw | pte_ps)}, // a large page
        {3, entry_for(table_of(kernel_base, 1), pte_table)},
        {3, entry_for(other, pte_rw | pte_ps)},
        {4, entry_for(table_of(kernel_base, 2), pte_table)},
        {4, entry_for(other, pte_table)}, // a child that is mapped writable
    };
    for (auto& c : cases) {
        page[0] = entry_for(c.level == 1 ? other : table_of(kernel_base, c.level - 1), c.level == 1 ? pte_ro : pte_table);
        page[255] = c.entry;
        CHECK_EQ(make_ro(page), 0);
        CHECK(pin(c.level, page) < 0);
        CHECK_EQ(make_rw(page), 0);
        CHECK_EQ(page[255], c.entry);
        memset(page, 0, page_size);
    }
    CHECK_EQ(make_ro(other), 0);
    CHECK_EQ(make_rw(other), 0);
}

/// A page that an L1 maps writable cannot become a table; one that it maps read-only can.
void check_references()
{
    auto l1 = static_cast<u64*>(take_page());
    void* page = take_page();
    CHECK_EQ(make_ro(page), 0);
    l1[0] = entry_for(page, pte_rw);
    CHECK_EQ(make_ro(l1), 0);
    CHECK_EQ(pin(1, l1), 0);
    CHECK_EQ(pin(1, page), -XEN_EINVAL);
    CHECK_EQ(set_entry(l1, 0, entry_for(page, pte_ro)), 0);
    CHECK_EQ(pin(1, page), 0);
    CHECK_REFUSED(set_entry(l1, 0, entry_for(page, pte_rw)), -XEN_EBUSY);
    CHECK_EQ(unpin(page), 0);
    CHECK_EQ(set_entry(l1, 0, entry_for(page, pte_rw)), 0);
    CHECK_EQ(unpin(l1), 0); // drops the writable reference that the entry held
    CHECK_EQ(pin(1, page), 0);
    CHECK_EQ(unpin(page), 0);
    CHECK_EQ(make_rw(l1), 0);
    CHECK_EQ(make_rw(page), 0);
}

/// A second address space: built from plain pages, pinned, loaded, left again, unpinned while it is still
/// loaded.
void check_address_space()
{
    auto l4 = static_cast<u64*>(take_page());
    u64* old = current_l4();
    for (int i = 0; i < 512; i++)
        l4[i] = old[i];               // with the hypervisor's entries, as kernels copy them
    l4[260] = entry_for(old, pte_rw); // and with nonsense among them
    auto l3 = static_cast<u64*>(take_page()), l2 = static_cast<u64*>(take_page()), l1 = static_cast<u64*>(take_page());
    auto page = static_cast<u64*>(take_page());
    page[0] = 0x1234;
    l4[2] = entry_for(l3, pte_table), l3[0] = entry_for(l2, pte_table), l2[0] = entry_for(l1, pte_table);
    l1[0] = entry_for(page, pte_rw);
    for (u64* table : {l4, l3, l2, l1})
        CHECK_EQ(make_ro(table), 0);
    CHECK_EQ(pin(4, l4), 0);
    auto window = reinterpret_cast<volatile u64*>(2ul << 39);
    CHECK(catch_trap([=] { (void)window[0]; }).is(vector_pf));
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(l4)), 0);
    set_current_l4(l4);
    CHECK_EQ(window[0], 0x1234);
    window[1] = 0x5678;
    CHECK_EQ(page[1], 0x5678);
    CHECK_EQ(phys_of_mfn(mfn_of(page)), pfn_of(page)); // the hypervisor's slots are right
    CHECK(mfn_of_pte(l4[260]) != mfn_of(old));
    CHECK_EQ(unpin(l4), 0); // still loaded: still an L4
    CHECK_REFUSED(make_rw(l4), -XEN_EBUSY);
    CHECK_REFUSED(make_rw(l1), -XEN_EBUSY);
    CHECK_EQ(window[1], 0x5678);
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(old)), 0);
    set_current_l4(old);
    for (u64* table : {l4, l3, l2, l1})
        CHECK_EQ(make_rw(table), 0);
    CHECK(catch_trap([=] { (void)window[0]; }).is(vector_pf));
    // Loading an L4 that is not pinned validates it on the way.
    for (u64* table : {l4, l3, l2, l1})
        CHECK_EQ(make_ro(table), 0);
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(l4)), 0);
    CHECK_EQ(window[1], 0x5678);
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(old)), 0);
    for (u64* table : {l4, l3, l2, l1})
        CHECK_EQ(make_rw(table), 0);
}

void check_page_operations()
{
    auto from = static_cast<u64*>(take_page()), to = static_cast<u64*>(take_page());
    from[100] = 0x77, to[3] = 5;
    CHECK_EQ(mmuext(MMUEXT_COPY_PAGE, mfn_of(to), mfn_of(from)), 0);
    CHECK_EQ(to[100], 0x77);
    CHECK_EQ(to[3], 0);
    CHECK_EQ(mmuext(MMUEXT_CLEAR_PAGE, mfn_of(to)), 0);
    CHECK_EQ(to[100], 0);
    CHECK_EQ(mmuext(MMUEXT_CLEAR_PAGE, mfn_of(current_l4())), -XEN_EINVAL);
    CHECK_EQ(mmuext(MMUEXT_COPY_PAGE, mfn_of(current_l4()), mfn_of(from)), -XEN_EINVAL);
    CHECK_EQ(mmuext(MMUEXT_COPY_PAGE, mfn_of(to), 0xffffffff), -XEN_EINVAL);
    CHECK_EQ(mmuext(MMUEXT_COPY_PAGE, 0xffffffff, mfn_of(from)), -XEN_EINVAL);
}

void check_flushes()
{
    u64 mask[2] = {1, 0};
    for (u32 command : {MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_TLB_FLUSH_ALL, MMUEXT_FLUSH_CACHE, MMUEXT_FLUSH_CACHE_GLOBAL})
        CHECK_EQ(mmuext(command), 0);
    for (u32 command : {MMUEXT_INVLPG_LOCAL, MMUEXT_INVLPG_ALL})
        CHECK_EQ(mmuext(command, number(image_start)), 0);
    CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, number(mask)), 0);
    CHECK_EQ(mmuext(MMUEXT_INVLPG_MULTI, number(image_start), number(mask)), 0);
    CHECK_REFUSED(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, 1ul << 63), -XEN_EINVAL);
    CHECK_REFUSED(mmuext(MMUEXT_INVLPG_MULTI, 0, 1ul << 63), -XEN_EINVAL);
    for (u64 va : {0ul, 1ul << 63, hypervisor_start, hypervisor_end - 1, ~0ul}) // any address is a fine address
        CHECK_EQ(mmuext(MMUEXT_INVLPG_LOCAL, va), 0);
    CHECK_EQ(mmuext(14), -XEN_ENOSYS);
    CHECK_EQ(mmuext(99), -XEN_ENOSYS);
    print("MARK_SUPER %ld UNMARK_SUPER %ld\n", mmuext(MMUEXT_MARK_SUPER, 0), mmuext(MMUEXT_UNMARK_SUPER, 0));
}

void check_batches()
{
    mmuext_op ops[8] = {};
    for (auto& op : ops)
        op.cmd = MMUEXT_TLB_FLUSH_LOCAL;
    u32 done = 99;
    CHECK_EQ(hypercall(__HYPERVISOR_mmuext_op, ops, 8, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 8);
    ops[3].cmd = 77;
    CHECK_EQ(hypercall(__HYPERVISOR_mmuext_op, ops, 8, &done, DOMID_SELF), -XEN_ENOSYS);
    CHECK_EQ(done, 3);
    CHECK_EQ(hypercall(__HYPERVISOR_mmuext_op, ops, 0, &done, DOMID_SELF), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_mmuext_op, 1ul << 63, 1, &done, DOMID_SELF), -XEN_EFAULT);
    long rc = hypercall(__HYPERVISOR_mmuext_op, ops, 1, 1ul << 63, DOMID_SELF);
    CHECK(rc == 0 || rc == -XEN_EFAULT); // the work is done, but nobody can be told how much
}

} // namespace

void guest::test()
{
    check_every_level();
    check_bad_frames();
    check_refused_content();
    check_references();
    check_address_space();
    check_page_operations();
    check_flushes();
    check_batches();
}
