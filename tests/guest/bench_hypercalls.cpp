// What this is: single operations of the PV interface between marks; `run.py --bench` makes a table of what
// the hypervisor executes for each. Run without the counting plugin it only shows that they work.
//
// Run with: limit=120
#include "lib/bench.hpp"
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"
#include "lib/user.hpp"

using namespace guest;

namespace {

extern "C" char b_loop[], b_loop_fault[];
asm(R"(
    .pushsection .user, "ax"
b_loop:
    syscall
    jmp b_loop
b_loop_fault:
    mov (%rdi), %al
    jmp b_loop_fault
    .popsection
)");

u64 failures;

void must(long rc) { failures += rc != 0; }

u64 table_entry(const void* page, u64 bits) { return mfn_of(page) << page_shift | bits; }

void bench_plain()
{
    bench<1>("null hypercall", 1000, [] { xen_version(XENVER_version); });
    bench<2>("stack_switch", 1000, [] { must(hypercall(__HYPERVISOR_stack_switch, flat_ss, user_entry_stack_top())); });
    bench<3>("set_segment_base", 1000, [] { must(set_segment_base(SEGBASE_GS_USER, 0x1000)); });
    multicall_entry calls[4];
    for (auto& call : calls)
        call = {__HYPERVISOR_stack_switch, 0, {flat_ss, user_entry_stack_top(), 0, 0, 0, 0}};
    bench<4>("multicall of 4 stack_switch", 500, [&] { must(hypercall(__HYPERVISOR_multicall, calls, 4)); });
    bench<5>("yield, nobody else", 500, [] { must(sched_op(SCHEDOP_yield)); });
    vcpu_set_singleshot_timer timer{now() + 100000_ms, 0};
    bench<6>("set_singleshot_timer", 500, [&] { must(vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer)); });
    must(vcpu_op(VCPUOP_stop_singleshot_timer, 0));
}

void bench_paging()
{
    u64 va = take_empty_va(), slot = entry_maddr(va);
    void* page = take_page();
    u64 on = table_entry(page, pte_rw);
    bench<10>("update_va_mapping", 500, [=, flip = false]() mutable {
        flip = !flip;
        must(update_va_mapping(va, flip ? on : 0, UVMF_INVLPG));
    });
    must(update_va_mapping(va, 0));
    bench<17>("update_va_mapping, no flush", 500, [=, flip = false]() mutable {
        flip = !flip;
        must(update_va_mapping(va, flip ? on : 0, UVMF_NONE));
    });
    must(update_va_mapping(va, 0));
    bench<11>("mmu_update, single entry", 500, [=, flip = false]() mutable {
        flip = !flip;
        must(mmu_update_one(slot, flip ? on : 0));
    });
    must(mmu_update_one(slot, 0));
    u64 vas[16];
    mmu_update requests[32];
    for (u64 i = 0; i < 16; i++) {
        vas[i] = take_empty_va();
        requests[i] = {entry_maddr(vas[i]), on};
        requests[i + 16] = {entry_maddr(vas[i]), 0};
    }
    bench<12>(
        "mmu_update, per entry of 32", 100, [&] { must(mmu_updates(requests, 32)); }, 32);
    auto entry = reinterpret_cast<volatile u64*>(entry_of(va));
    must(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
    bench<13>("trapped write to a page table", 500, [=, flip = false]() mutable {
        flip = !flip;
        *entry = flip ? on : 0;
    });
    must(update_va_mapping(va, 0));
    auto l1 = static_cast<u64*>(take_page());
    for (int i = 0; i < 512; i++)
        l1[i] = table_entry(page, pte_ro);
    must(make_ro(l1));
    bench<14>("pin + unpin of a full L1", 50, [=] {
        must(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(l1)));
        must(mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l1)));
    });
    bench<15>("new_baseptr (same L4)", 500, [] { must(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(current_l4()))); });
    bench<16>("tlb_flush_local", 500, [] { must(mmuext(MMUEXT_TLB_FLUSH_LOCAL)); });
}

bool skip_two_bytes(Frame& frame)
{
    frame.rip += 2; // mov (%rdi), %al
    return true;
}
bool go_on(Frame&) { return true; }

void bench_traps()
{
    trap_hooks[vector_bp] = go_on;
    bench<20>("exception bounce + iret", 500, [] { asm volatile("int3" ::: "memory"); });
    trap_hooks[vector_pf] = skip_two_bytes;
    u64 hole = take_empty_va();
    bench<21>("page fault bounce + iret", 500, [=] { asm volatile("mov (%0), %%al" ::"D"(hole) : "rax", "memory"); });
    // Both loops below run in user mode; the marks are in the kernel's handlers.
    trap_hooks[callback_syscall] = [](Frame&) {
        static u64 calls;
        calls++;
        if (calls == 100)
            mark<22>();
        if (calls < 1100)
            return true;
        mark<22 | 0x8000>();
        return false;
    };
    UserStart start;
    start.rip = user_address(b_loop);
    CHECK(run_user(start).is(callback_syscall));
    print("BENCH 22 1000 system call and return\n");
    trap_hooks[vector_pf] = [](Frame& frame) {
        static u64 faults;
        faults++;
        frame.rip += 2;
        if (faults == 100)
            mark<23>();
        if (faults < 1100)
            return true;
        mark<23 | 0x8000>();
        return false;
    };
    start.rip = user_address(b_loop_fault);
    start.rdi = 0x700000;
    CHECK(run_user(start).is(vector_pf));
    print("BENCH 23 1000 page fault from user mode + iret\n");
    trap_hooks[vector_pf] = nullptr;
}

void bench_events()
{
    mask_upcalls();
    long port = bind_ipi();
    mask_port(port);
    bench<30>("event send, masked", 500, [=] { must(send(port)); });
    clear_bit(shared->evtchn_pending, port);
    install_event_counter();
    unmask_port(port);
    unmask_upcalls();
    bench<31>("event send, upcall and iret", 500, [=] { must(send(port)); });
    mask_upcalls();
    must(close_port(port));
}

void bench_grants()
{
    u64 frame = 0;
    gnttab_setup_table setup{DOMID_SELF, 1, 0, number(&frame)};
    must(grant_op(GNTTABOP_setup_table, &setup, 1));
    u64 table_va = take_empty_va(), va = take_empty_va();
    must(update_va_mapping(table_va, frame << page_shift | pte_rw));
    auto table = reinterpret_cast<volatile grant_entry_v1*>(table_va);
    void *from = take_page(), *to = take_page();
    table[8].frame = static_cast<u32>(mfn_of(from));
    table[8].domid = 0;
    table[8].flags = GTF_permit_access;
    bench<40>("grant map + unmap", 500, [=] {
        gnttab_map_grant_ref map{va, GNTMAP_host_map, 8, 0, 1, 0, 0};
        must(grant_op(GNTTABOP_map_grant_ref, &map, 1) | map.status);
        gnttab_unmap_grant_ref unmap{va, 0, map.handle, 1};
        must(grant_op(GNTTABOP_unmap_grant_ref, &unmap, 1) | unmap.status);
    });
    bench<41>("grant copy, 4 KiB", 500, [=] {
        gnttab_copy copy{};
        copy.source.u.ref = 8;
        copy.source.domid = copy.dest.domid = DOMID_SELF;
        copy.dest.u.gmfn = mfn_of(to);
        copy.len = page_size;
        copy.flags = GNTCOPY_source_gref;
        must(grant_op(GNTTABOP_copy, &copy, 1) | copy.status);
    });
}

void bench_instructions()
{
    bench<50>("rdmsr FS_BASE", 500, [] { asm volatile("rdmsr" ::"c"(0xc0000100) : "eax", "edx"); });
    bench<51>("cpuid (forced)", 500, [] {
        u32 a = 1, c = 0;
        asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid" : "+a"(a), "+c"(c)::"ebx", "edx");
    });
    bench<52>("cli", 500, [] { asm volatile("cli" ::: "memory"); });
    bench<53>("in (granted port)", 500, [] { asm volatile("in $0x80, %%al" ::: "eax"); });
}

} // namespace

void guest::test()
{
    mask_upcalls();
    physdev_set_iopl iopl{1};
    must(physdev(PHYSDEVOP_set_iopl, &iopl));
    set_up_user_mode();
    bench_plain();
    bench_paging();
    bench_traps();
    bench_events();
    bench_grants();
    bench_instructions();
    CHECK_EQ(failures, 0);
}
