// What this is: nonsense, thrown at every hypercall: wild pointers in every argument, huge counts, unknown
// commands. Each call must come back (with whatever answer), and afterwards the guest must find its world as
// it was.
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

u64 random_state = 0x9e3779b97f4a7c15;

u64 random()
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/// What would end or maim this guest although it is perfectly legal.
bool is_legal_end(u64 nr, u64 first)
{
    first &= 0xffffffff;
    switch (nr) {
    case __HYPERVISOR_iret:
    case __HYPERVISOR_kexec_op:
    case __HYPERVISOR_set_callbacks:
    case __HYPERVISOR_xenoprof_op: // Xen logs every one of them
        return true;
    case __HYPERVISOR_update_va_mapping:
    case __HYPERVISOR_update_va_mapping_otherdomain: return first >= page_size; // would change what the pointers below mean
    case __HYPERVISOR_console_io: return first == CONSOLEIO_write;              // noise
    case __HYPERVISOR_sched_op:
        return first == SCHEDOP_shutdown || first == SCHEDOP_block || first == SCHEDOP_remote_shutdown || first == SCHEDOP_poll;
    case __HYPERVISOR_sched_op_compat: return true;
    case __HYPERVISOR_set_trap_table: return first == 0; // empties the table
    case __HYPERVISOR_vcpu_op: return first == VCPUOP_down || first == VCPUOP_send_nmi;
    }
    return false;
}

void check_still_alive(const char* after)
{
    if (xen_version(XENVER_version) != (4 << 16 | 17) || !catch_trap([] { asm volatile("ud2"); }).is(vector_ud))
        give_up("not well after %s", after);
}

/// Every number up to 64 with each kind of bad value in each argument.
void check_pointers()
{
    u64 hole = take_empty_va();
    auto page = static_cast<char*>(take_pages(2));
    CHECK_EQ(update_va_mapping(number(page + page_size), 0),
             0);                   // or long lists would run on from here through the guest
    memset(page, 0x5a, page_size); // no list of zeroes: multicall would find set_trap_table(0) there
    CHECK_EQ(make_ro(page), 0);
    const u64 wild[] = {0,
                        1,
                        0xfff,
                        hole,
                        number(page),
                        number(page) + 4093,
                        hypervisor_start,
                        hypervisor_start + (4ul << 39) + 8,
                        hypervisor_end - 4,
                        0x0000'7fff'ffff'fff8,
                        0x0000'8000'0000'0000,
                        1ul << 63,
                        ~0ul,
                        ~0ul - 7,
                        0xffff'ffff'8000'0000 - 8};
    u64 calls = 0;
    for (u64 nr = 0; nr < 64; nr++) {
        for (u64 command = 0; command < 32; command++) {
            if (is_legal_end(nr, command))
                continue;
            for (u64 pointer : wild) {
                hypercall(nr, command, pointer, 1, pointer, pointer);
                calls++;
                if (is_legal_end(nr, pointer))
                    continue;
                hypercall(nr, pointer, command, pointer, pointer, pointer);
                hypercall(nr, pointer, pointer, command);
                calls += 2;
            }
        }
        hypercall(__HYPERVISOR_fpu_taskswitch, 0);
        check_still_alive("wild pointers");
    }
    // The read-only page was not written, although the hypervisor could have.
    for (u64 i = 0; i < page_size; i++)
        if (page[i] != 0x5a)
            give_up("a read-only page was written at %lx", i);
    print("%lu calls with wild pointers\n", calls);
    CHECK(true);
}

/// Lists that are there, but far too short for the count.
void check_counts()
{
    auto pages = static_cast<char*>(take_pages(2));
    update_va_mapping(number(pages + page_size), 0);
    for (u64 count : {2ul, 0x1000ul, 0x7ffffffful, 0x80000000ul, 0xfffffffful, 0x100000001ul, ~0ul}) {
        char* list = pages + page_size - 16;
        memset(list, 0xff, 16);
        u32 done = 0;
        u64 requests = count & ~(1ul << 31);
        if (static_cast<u32>(requests)) {
            CHECK(hypercall(__HYPERVISOR_mmu_update, list, requests, &done, DOMID_SELF) < 0);
            memset(list, 0xff, 16);
            CHECK(hypercall(__HYPERVISOR_mmuext_op, list, requests, &done, DOMID_SELF) < 0);
        }
        CHECK(hypercall(__HYPERVISOR_multicall, list, count) < 0);
        for (u64 command : {0ul, 1ul, 2ul, 5ul, 7ul})
            CHECK(grant_op(static_cast<u32>(command), list, static_cast<u32>(count)) < 0);
        CHECK(hypercall(__HYPERVISOR_set_gdt, list, count) < 0);
    }
    check_still_alive("huge counts");
}

/// Random structures in random places: a small fuzzer.
void check_random()
{
    static u64 buffer[64];
    // What a call may legally fill is a page with nothing behind it.
    auto scratch = static_cast<char*>(take_pages(2));
    CHECK_EQ(update_va_mapping(number(scratch + page_size), 0), 0);
    const u64 interesting[] = {0,
                               1,
                               2,
                               7,
                               0xff,
                               0x7ff0,
                               0x7ff4,
                               0xffff,
                               0x7fffffff,
                               0x80000000,
                               0xffffffff,
                               1ul << 63,
                               ~0ul,
                               number(scratch),
                               hypervisor_start,
                               mfn_of(scratch),
                               maddr_of(scratch),
                               boot_info->shared_info};
    auto pick = [&] {
        return random() % 4 ? interesting[random() % (sizeof interesting / sizeof *interesting)] : random() >> (random() % 64);
    };
    const u64 safe_calls[] = {__HYPERVISOR_memory_op,
                              __HYPERVISOR_grant_table_op,
                              __HYPERVISOR_event_channel_op,
                              __HYPERVISOR_physdev_op,
                              __HYPERVISOR_mmuext_op,
                              __HYPERVISOR_mmu_update,
                              __HYPERVISOR_update_descriptor,
                              __HYPERVISOR_vcpu_op,
                              __HYPERVISOR_set_debugreg,
                              __HYPERVISOR_get_debugreg,
                              __HYPERVISOR_vm_assist,
                              __HYPERVISOR_callback_op,
                              __HYPERVISOR_xsm_op,
                              __HYPERVISOR_hvm_op,
                              __HYPERVISOR_sysctl,
                              __HYPERVISOR_domctl,
                              __HYPERVISOR_xenpmu_op,
                              __HYPERVISOR_dm_op,
                              __HYPERVISOR_mca,
                              __HYPERVISOR_update_va_mapping_otherdomain,
                              __HYPERVISOR_argo_op};
    for (u32 round = 0; round < 3000; round++) {
        u64 nr = safe_calls[random() % (sizeof safe_calls / sizeof *safe_calls)], command = random() % 40;
        for (u64& word : buffer)
            word = pick();
        if (is_legal_end(nr, command) || nr == __HYPERVISOR_callback_op || nr == __HYPERVISOR_vm_assist)
            continue;
        if (nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_mmuext_op) {
            // Legal requests would pull the rug away; frames that do not exist cannot.
            buffer[0] = nr == __HYPERVISOR_mmu_update ? pick() | 1ul << 45 : command;
            if (nr == __HYPERVISOR_mmuext_op)
                buffer[1] = random() | 1ul << 40;
            if (nr == __HYPERVISOR_mmuext_op && (command == MMUEXT_SET_LDT || command == MMUEXT_NEW_USER_BASEPTR))
                continue;
            hypercall(nr, buffer, 1, nullptr, DOMID_SELF);
        } else if (nr == __HYPERVISOR_update_descriptor) {
            hypercall(nr, pick() | 1ul << 45, pick());
        } else if (nr == __HYPERVISOR_vcpu_op) {
            if (command != VCPUOP_register_runstate_memory_area && command != VCPUOP_register_vcpu_time_memory_area)
                hypercall(nr, command, pick() | 64, buffer);
        } else if (nr == __HYPERVISOR_memory_op) {
            // Giving frames back by accident is legal, too: keep the lists unreadable.
            buffer[0] = buffer[4] = 1ul << 63;
            hypercall(nr, command, buffer);
        } else if (nr == __HYPERVISOR_grant_table_op) {
            hypercall(nr, command, buffer, random() % 3);
        } else if (nr == __HYPERVISOR_sysctl || nr == __HYPERVISOR_domctl) {
            // The right version, random everything else; no such domain, no hotplug, power management,
            // tracing or debug keys.
            buffer[0] = command | 0x15ul << 32;
            if (nr == __HYPERVISOR_domctl)
                buffer[1] = 0x7000 + random() % 0xff0;
            else if (command == 2 || command == 7 || command == 11 || command == 12 || command == 14)
                continue;
            hypercall(nr, buffer);
        } else {
            hypercall(nr, command, buffer, pick(), pick());
        }
        if (round % 100 == 0)
            check_still_alive("random calls");
    }
    CHECK(true);
}

/// After all that, the essentials still work.
void check_world()
{
    for (u64 pfn = 0; pfn < boot_info->nr_pages; pfn++)
        if (phys_of_mfn(phys_to_machine[pfn]) != pfn)
            give_up("m2p[p2m[%lx]] is %lx", pfn, phys_of_mfn(phys_to_machine[pfn]));
    auto page = static_cast<u64*>(take_page());
    u64 va = take_empty_va();
    CHECK_EQ(update_va_mapping(va, mfn_of(page) << page_shift | pte_rw), 0);
    *reinterpret_cast<volatile u64*>(va) = 42;
    CHECK_EQ(page[0], 42);
    CHECK(catch_trap([] { *reinterpret_cast<volatile u8*>(machine_to_phys_base) = 0; }).is(vector_pf));
    u64 before = now();
    CHECK(now() >= before);
}

} // namespace

void guest::test()
{
    mask_upcalls();
    check_counts();
    check_pointers();
    check_random();
    check_world();
}
