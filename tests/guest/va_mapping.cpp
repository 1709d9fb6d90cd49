// What this is: update_va_mapping: where it may write, what it refuses, and what its flush flags promise.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

void check_flush_flags()
{
    u64 va = take_empty_va();
    auto a = static_cast<u64*>(take_page()), b = static_cast<u64*>(take_page());
    a[0] = 0xaaaa, b[0] = 0xbbbb;
    auto word = reinterpret_cast<volatile u64*>(va);
    u64 mask = 1;
    for (u64 flags : {u64{UVMF_INVLPG}, UVMF_INVLPG | UVMF_ALL, u64{UVMF_TLB_FLUSH}, UVMF_TLB_FLUSH | UVMF_ALL, number(&mask) | UVMF_INVLPG,
                      number(&mask) | UVMF_TLB_FLUSH}) {
        CHECK_EQ(update_va_mapping(va, mfn_of(a) << page_shift | pte_rw, flags), 0);
        CHECK_EQ(word[0], 0xaaaa);
        CHECK_EQ(update_va_mapping(va, mfn_of(b) << page_shift | pte_rw, flags), 0);
        CHECK_EQ(word[0], 0xbbbb);
        CHECK_EQ(update_va_mapping(va, 0, flags), 0);
        CHECK(catch_trap([=] { (void)word[0]; }).is(vector_pf));
    }
    // Without a flush an entry that was not present works at once.
    CHECK_EQ(update_va_mapping(va, mfn_of(a) << page_shift | pte_rw, UVMF_NONE), 0);
    CHECK_EQ(word[0], 0xaaaa);
    CHECK_EQ(update_va_mapping(va, 0, UVMF_INVLPG), 0);
    CHECK_EQ(update_va_mapping(va, 0, (1ul << 63) | UVMF_INVLPG), -XEN_EFAULT);
}

void check_refused()
{
    void* page = take_page();
    u64 value = mfn_of(page) << page_shift | pte_rw;
    // No L1 there, not the guest's, not an address.
    for (u64 va : {0x1000ul, 0x7ffffffff000ul, 0xffff900000000000ul, 0xffffffffc0000000ul, hypervisor_start, hypervisor_start + (1ul << 39),
                   hypervisor_end - page_size, 0x0000800000000000ul, 1ul << 63}) {
        if (!CHECK_EQ(update_va_mapping(va, value), -XEN_EINVAL))
            print("  va %lx\n", va);
        CHECK_EQ(update_va_mapping(va, 0), -XEN_EINVAL);
    }
    u64 va = take_empty_va();
    CHECK_REFUSED(update_va_mapping(va, mfn_of(current_l4()) << page_shift | pte_rw), -XEN_EBUSY);
    CHECK_REFUSED(update_va_mapping(va, mfn_of(table_of(va, 1)) << page_shift | pte_rw), -XEN_EBUSY);
    CHECK_EQ(update_va_mapping(va, 0x000ffffffffff000 | pte_ro), -XEN_EINVAL);
    CHECK_EQ(*entry_of(va), 0);
    CHECK_EQ(update_va_mapping(va, mfn_of(current_l4()) << page_shift | pte_ro), 0);
    CHECK_EQ(update_va_mapping(va, 0), 0);
    // The offset within the page does not count.
    CHECK_EQ(update_va_mapping(va + 0x123, mfn_of(page) << page_shift | pte_rw), 0);
    *reinterpret_cast<volatile u64*>(va) = 7;
    CHECK_EQ(*static_cast<u64*>(page), 7);
    CHECK_EQ(update_va_mapping(va, 0), 0);
}

/// An entry that goes on mapping its frame, with more or with fewer rights: the frame's type follows, by each of the calls.
void check_rights()
{
    u64 va = take_empty_va(), slot = entry_maddr(va);
    auto page = static_cast<u64*>(take_page());
    REQUIRE_EQ(make_ro(page), 0);
    const u64 at = mfn_of(page) << page_shift;
    auto by_address = [=](u64 value) { return update_va_mapping(va, value); };
    auto by_entry = [=](u64 value) { return mmu_update_one(slot, value); };
    auto keeping_bits = [=](u64 value) { return mmu_update_one(slot | MMU_PT_UPDATE_PRESERVE_AD, value); };
    auto check = [=](auto change) {
        for (int round = 0; round < 3; round++) {
            CHECK_EQ(change(at | pte_ro), 0);
            CHECK_EQ(change(at | pte_rw), 0);
            *reinterpret_cast<volatile u64*>(va) = 0;
            CHECK_REFUSED(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page)), -XEN_EBUSY);
            CHECK_EQ(change(at | pte_rw), 0);
            CHECK_EQ(change(at | pte_ro), 0);
            CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page)), 0);
            CHECK_REFUSED(change(at | pte_rw), -XEN_EBUSY);
            CHECK_EQ(*entry_of(va) & pte_rw & ~pte_ro, 0);
            CHECK_EQ(change(at | pte_ro), 0);
            CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page)), 0);
        }
        CHECK_EQ(change(0), 0);
    };
    check(by_address);
    check(by_entry);
    check(keeping_bits);
    // A and D stay where they are to stay, and go where they are not.
    CHECK_EQ(by_entry(at | pte_rw), 0);
    *reinterpret_cast<volatile u64*>(va) = 0;
    CHECK_EQ(keeping_bits(at | (pte_rw & ~pte_d)), 0);
    CHECK(*entry_of(va) & pte_d);
    CHECK_EQ(by_entry(at | (pte_rw & ~pte_d)), 0);
    CHECK_EQ(*entry_of(va) & pte_d, 0);
    CHECK_EQ(by_entry(0), 0);
}

/// shared_info is in nobody's p2m, and may be mapped.
void check_special_frames()
{
    u64 va = take_empty_va();
    CHECK_EQ(update_va_mapping(va, boot_info->shared_info | pte_rw), 0);
    CHECK_EQ(reinterpret_cast<struct shared_info*>(va)->vcpu_info[0].time.tsc_to_system_mul, vcpu0->time.tsc_to_system_mul);
    CHECK_EQ(update_va_mapping(va, 0), 0);
}

void check_other_domain()
{
    u64 va = take_empty_va();
    auto call = [&](u64 value, u64 domain) {
        return hypercall(__HYPERVISOR_update_va_mapping_otherdomain, va, value, UVMF_INVLPG, domain);
    };
    void* page = take_page();
    CHECK_EQ(call(mfn_of(page) << page_shift | pte_rw, 99), -XEN_ESRCH);
    CHECK_EQ(call(mfn_of(page) << page_shift | pte_rw, DOMID_SELF), 0);
    CHECK_EQ(update_va_mapping(va, 0), 0);
}

} // namespace

void guest::test()
{
    check_flush_flags();
    check_refused();
    check_rights();
    check_special_frames();
    check_other_domain();
}
