// What this is: several hypercalls in one: order, results, long lists, and lists that are not all there.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

multicall_entry calls[2000];

multicall_entry call(u64 op, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0) { return {op, 0x5a5a, {a, b, c, d, 0, 0}}; }
long run(const multicall_entry* list, u64 count) { return hypercall(__HYPERVISOR_multicall, list, count); }

void check_order_and_results()
{
    u64 va = take_empty_va();
    auto a = static_cast<u64*>(take_page()), b = static_cast<u64*>(take_page());
    a[0] = 1, b[0] = 2;
    calls[0] = call(__HYPERVISOR_update_va_mapping, va, mfn_of(a) << page_shift | pte_rw, UVMF_INVLPG);
    calls[1] = call(__HYPERVISOR_xen_version, XENVER_version);
    calls[2] = call(__HYPERVISOR_update_va_mapping, va, mfn_of(b) << page_shift | pte_rw, UVMF_INVLPG);
    calls[3] = call(63);
    calls[4] = call(__HYPERVISOR_update_va_mapping, 0x1000, 0, 0);
    calls[5] = call(~0ull);
    calls[6] = call(__HYPERVISOR_memory_op, XENMEM_maximum_ram_page);
    CHECK_EQ(run(calls, 7), 0);
    CHECK_EQ(calls[0].result, 0);
    CHECK_EQ(calls[1].result, 4 << 16 | 17);
    CHECK_EQ(calls[2].result, 0);
    CHECK_EQ(*reinterpret_cast<volatile u64*>(va), 2);
    CHECK_EQ(calls[3].result, -XEN_ENOSYS);
    CHECK_EQ(calls[4].result, -XEN_EINVAL);
    CHECK_EQ(calls[5].result, -XEN_ENOSYS);
    CHECK(calls[6].result > boot_info->nr_pages);
    CHECK_EQ(calls[6].args[0], XENMEM_maximum_ram_page); // only the result is written
    CHECK_EQ(calls[7].result, 0);
    CHECK_EQ(update_va_mapping(va, 0), 0);
    CHECK_EQ(run(calls, 0), 0);
}

void check_long_list()
{
    auto page = static_cast<u64*>(take_page());
    mmu_update requests[8];
    for (u64 i = 0; i < 8; i++)
        requests[i] = {maddr_of(page + i), i};
    for (auto& c : calls)
        c = call(__HYPERVISOR_mmu_update, number(requests), 8, 0, DOMID_SELF);
    CHECK_EQ(run(calls, 2000), 0);
    for (auto& c : calls)
        if (c.result != 0)
            give_up("entry %ld returned %lx", &c - calls, c.result);
    CHECK_EQ(page[7], 7);
}

void check_bad_lists()
{
    CHECK_EQ(run(reinterpret_cast<multicall_entry*>(1ul << 63), 1), -XEN_EFAULT);
    CHECK_EQ(run(reinterpret_cast<multicall_entry*>(hypervisor_start), 1),
             -XEN_EFAULT); // readable, but not writable
    CHECK_EQ(run(reinterpret_cast<multicall_entry*>(hypervisor_start + (4ul << 39)), 1), -XEN_EFAULT);
    CHECK_EQ(run(reinterpret_cast<multicall_entry*>(take_empty_va()), 1), -XEN_EFAULT);
    // The good part of a list is carried out.
    auto pages = static_cast<char*>(take_pages(2));
    update_va_mapping(number(pages + page_size), 0);
    auto list = reinterpret_cast<multicall_entry*>(pages + page_size - 2 * sizeof(multicall_entry));
    list[0] = list[1] = call(__HYPERVISOR_xen_version, XENVER_version);
    CHECK_EQ(run(list, 3), -XEN_EFAULT);
    CHECK_EQ(list[0].result, 4 << 16 | 17);
    CHECK_EQ(list[1].result, 4 << 16 | 17);
    CHECK_EQ(run(list, ~0u), -XEN_EFAULT);
    update_va_mapping(number(pages + page_size), mfn_of(pages + page_size) << page_shift | pte_rw);
    // A result that cannot be written.
    auto page = static_cast<char*>(take_page());
    auto entry = reinterpret_cast<multicall_entry*>(page);
    *entry = call(__HYPERVISOR_xen_version, XENVER_version);
    CHECK_EQ(make_ro(page), 0);
    CHECK_EQ(run(entry, 1), -XEN_EFAULT);
    CHECK_EQ(make_rw(page), 0);
}

/// Calls that change where execution goes on have no place in a list.
void check_nesting()
{
    multicall_entry inner = call(__HYPERVISOR_xen_version, XENVER_version);
    calls[0] = call(__HYPERVISOR_multicall, number(&inner), 1);
    calls[1] = call(__HYPERVISOR_xen_version, XENVER_version);
    CHECK_EQ(run(calls, 2), 0);
    CHECK_EQ(calls[0].result, -XEN_EINVAL);
    CHECK_EQ(inner.result, 0x5a5a);
    CHECK_EQ(calls[1].result, 4 << 16 | 17);
    // Yield and block inside a list are carried out as usual.
    vcpu0->evtchn_upcall_mask = 1;
    calls[0] = call(__HYPERVISOR_sched_op, SCHEDOP_yield);
    calls[1] = call(__HYPERVISOR_xen_version, XENVER_version);
    CHECK_EQ(run(calls, 2), 0);
    CHECK_EQ(calls[0].result, 0);
    CHECK_EQ(calls[1].result, 4 << 16 | 17);
}

} // namespace

void guest::test()
{
    check_order_and_results();
    check_long_list();
    check_bad_lists();
    check_nesting();
}
