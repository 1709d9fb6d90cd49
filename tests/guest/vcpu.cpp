// What this is: vcpu_op: bringing a second vCPU up and down, the areas it registers, and events between the
// two.
//
// Run with: smp=2 hypervisor="dom0_max_vcpus=2"
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/smp.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

volatile u64 ap_counter, ap_argument, ap_flags, ap_gs, ap_mask;
volatile u32 ap_wakeups, go_down;
long ap_port;
u64 gs_word = 0x6757;
struct vcpu_info* ap_info;

void check_is_up()
{
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 0), 1);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1), 0);
    for (u32 id : {2u, 7u, 32u, 8191u, ~0u})
        CHECK_EQ(vcpu_op(VCPUOP_is_up, id), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_up, 1), -XEN_EINVAL); // not initialised
    CHECK_EQ(vcpu_op(99, 0), -XEN_ENOSYS);
}

/// What the second vCPU does: say how it was entered, count, sleep until told, count again, go down when
/// told.
void ap_main(void* argument)
{
    u64 flags, gs;
    asm volatile("pushf; pop %0" : "=r"(flags));
    asm volatile("mov %%gs:0, %0" : "=r"(gs));
    ap_mask = ap_info->evtchn_upcall_mask;
    ap_flags = flags;
    ap_gs = gs;
    ap_argument = number(argument);
    ap_counter = 1;
    for (;;) {
        mask_upcalls(ap_info);
        sched_op(SCHEDOP_block);
        ap_wakeups = ap_wakeups + 1;
        if (go_down) {
            go_down = 0;
            vcpu_op(VCPUOP_down, 1);
            ap_counter = ap_counter + 100; // it goes on here when it comes up again
        }
    }
}

void check_register_vcpu_info()
{
    auto page = static_cast<char*>(take_page());
    ap_info = reinterpret_cast<struct vcpu_info*>(page + 64);
    vcpu_register_vcpu_info bad{0xfffffff, 0, 0};
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, 1, &bad), -XEN_EINVAL);
    bad = {mfn_of(page), 4096 - 32, 0};
    CHECK_REFUSED(vcpu_op(VCPUOP_register_vcpu_info, 1, &bad), -XEN_ENXIO);
    bad = {mfn_of(page), 8192, 0};
    CHECK(vcpu_op(VCPUOP_register_vcpu_info, 1, &bad) < 0);
    bad = {mfn_of(current_l4()), 0, 0};
    CHECK(vcpu_op(VCPUOP_register_vcpu_info, 1, &bad) < 0);
    bad = {mfn_of(page), 0, 0};
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, 9, &bad), -XEN_ENOENT);
    CHECK_EQ(move_vcpu_info(1, ap_info), 0);
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, 1, &bad), -XEN_EINVAL); // once
    // vCPU 0 while it runs: what was pending comes along.
    mask_upcalls();
    long port = bind_ipi();
    CHECK_EQ(send(port), 0);
    CHECK_EQ(vcpu0->evtchn_upcall_pending, 1);
    struct vcpu_info* old = vcpu0;
    CHECK_EQ(move_vcpu_info(0, reinterpret_cast<struct vcpu_info*>(page + 256)), 0);
    CHECK_EQ(vcpu0->evtchn_upcall_pending, 1);
    CHECK_EQ(vcpu0->evtchn_upcall_mask, 1);
    CHECK(vcpu0->evtchn_pending_sel & 1);
    CHECK(vcpu0->time.tsc_to_system_mul != 0);
    old->evtchn_upcall_mask = 1; // the old place means nothing now
    u32 before = port_count[port];
    unmask_upcalls();
    CHECK_EQ(port_count[port], before + 1);
    CHECK_EQ(send(port), 0);
    CHECK_EQ(port_count[port], before + 2);
    CHECK_EQ(close_port(port), 0);
    // The page cannot become a table while the hypervisor writes into it.
    CHECK_EQ(make_ro(page), 0);
    CHECK(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page)) < 0);
    CHECK_EQ(make_rw(page), 0);
}

void check_up()
{
    static vcpu_guest_context context;
    fill_context(context, 1, ap_main, &gs_word);
    context.gs_base_kernel = number(&gs_word);
    context.user_regs.cs = flat_cs & ~3; // RPL 0, as kernels think of themselves
    context.user_regs.ss = flat_ss & ~3;
    context.user_regs.rflags = 0x1000; // IOPL 1
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 9, &context), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, reinterpret_cast<void*>(1ul << 63)), -XEN_EFAULT);
    u64 good = context.ctrlreg[3];
    context.ctrlreg[3] = xen_pfn_to_cr3(0xfffffff);
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &context), -XEN_EINVAL);
    context.ctrlreg[3] = xen_pfn_to_cr3(mfn_of(table_of(kernel_base, 2)));
    CHECK(vcpu_op(VCPUOP_initialise, 1, &context) < 0);
    context.ctrlreg[3] = good;
    ap_info->evtchn_upcall_mask = 1;
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &context), 0);
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &context), -XEN_EEXIST);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1), 0);
    ap_port = bind_ipi(1);
    CHECK(ap_port > 0);
    unmask_port(ap_port);
    CHECK_EQ(vcpu_op(VCPUOP_up, 1), 0);
    CHECK(wait_until([] { return ap_counter == 1; }));
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1), 1);
    CHECK_EQ(vcpu_op(VCPUOP_up, 1), 0); // already
    CHECK_EQ(ap_argument, &gs_word);
    CHECK_EQ(ap_gs, 0x6757);
    CHECK_EQ(ap_flags & 0x3200, 0x200);
    CHECK_EQ(ap_mask, 1);
}

void check_events()
{
    CHECK(wait_until(
        [] {
            vcpu_runstate_info info{};
            return vcpu_op(VCPUOP_get_runstate_info, 1, &info) == 0 && info.state == RUNSTATE_blocked;
        },
        1'000'000));
    for (u32 i = 1; i <= 5; i++) {
        CHECK_EQ(send(ap_port), 0);
        CHECK(wait_until([=] { return port_count[ap_port] >= i && ap_wakeups >= i; }));
    }
    CHECK_EQ(status_of(ap_port).vcpu, 1);
    // A port moved over to the other vCPU.
    long unbound = alloc_unbound();
    long bound = bind_interdomain(DOMID_SELF, unbound);
    CHECK_EQ(bind_vcpu(bound, 1), 0);
    CHECK_EQ(status_of(bound).vcpu, 1);
    u32 before = port_count[bound], mine = upcalls;
    CHECK_EQ(send(unbound), 0);
    CHECK(wait_until([=] { return port_count[bound] > before; }));
    (void)mine;
    CHECK_EQ(close_port(bound), 0);
    CHECK_EQ(close_port(unbound), 0);
    // vCPU 1 has a clock of its own that agrees with ours.
    u64 first = now(), second = now(ap_info), third = now();
    CHECK(second + 1_ms >= first && second <= third + 1_ms);
}

void check_down()
{
    go_down = 1;
    CHECK_EQ(send(ap_port), 0);
    CHECK(wait_until([] { return vcpu_op(VCPUOP_is_up, 1) == 0; }, 1'000'000));
    CHECK_EQ(ap_counter, 1);
    CHECK_EQ(vcpu_op(VCPUOP_up, 1), 0);
    CHECK(wait_until([] { return ap_counter == 101; }));
    // The other way round: taken down from outside, wherever it is.
    CHECK_EQ(vcpu_op(VCPUOP_down, 1), 0);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1), 0);
    u32 wakeups = ap_wakeups;
    CHECK_EQ(send(ap_port), 0);
    sched_op(SCHEDOP_yield);
    CHECK_EQ(ap_wakeups, wakeups);
    CHECK_EQ(vcpu_op(VCPUOP_up, 1), 0);
    CHECK(wait_until([=] { return ap_wakeups > wakeups; }));
    // Its TLB follows what this one does.
    u64 mask = 2;
    CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, number(&mask)), 0);
    CHECK_EQ(mmuext(MMUEXT_INVLPG_ALL, number(image_start)), 0);
    CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_ALL), 0);
}

void check_other_areas()
{
    vcpu_get_physid id{~0ull};
    long rc = vcpu_op(VCPUOP_get_physid, 0, &id);
    CHECK(rc == 0 || rc == -XEN_EINVAL);
    static vcpu_time_info time;
    vcpu_register_time_memory_area area{};
    area.addr = number(&time);
    rc = vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area);
    print("register_vcpu_time_memory_area: %ld\n", rc);
    if (rc == 0)
        CHECK_EQ(time.tsc_to_system_mul, vcpu0->time.tsc_to_system_mul);
    area.addr = 0;
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), rc);
}

/// An NMI for ourselves comes through trap table vector 2.
void check_nmi()
{
    trap_hooks[vector_nmi] = [](Frame&) {
        ap_counter = ap_counter + 1000;
        return true;
    };
    mask_upcalls(); // the mask is no defence
    u64 before = ap_counter;
    CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 0), 0);
    CHECK(wait_until([=] { return ap_counter == before + 1000; }, 1000));
    CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 1), 0);
    CHECK(wait_until([=] { return ap_counter == before + 2000; }));
    unmask_upcalls();
}

} // namespace

void guest::test()
{
    install_event_counter();
    check_is_up();
    check_register_vcpu_info();
    check_up();
    check_events();
    check_down();
    check_other_areas();
    check_nmi();
}
