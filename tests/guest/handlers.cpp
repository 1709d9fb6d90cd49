// What this is: handler and callback addresses that the CPU cannot run, and what becomes of a trap that is to
// go there. Whatever it is, it happens to the guest.
#include "lib/check.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"
#include "lib/user.hpp"

using namespace guest;

namespace {

extern "C" char h_syscall[];
asm(".pushsection .user, \"ax\"; h_syscall: syscall; ud2; .popsection");

constexpr u64 bad_addresses[] = {0x0000'8000'0000'0000, 0x1234'5678'9abc'def0, 0xffff'7fff'ffff'ffff, hypervisor_start + (4ul << 39),
                                 0x0000'7fff'ffff'ffff};

bool is_canonical(u64 address) { return static_cast<u64>(static_cast<long>(address << 16) >> 16) == address; }

/// Xen refuses what is not canonical. To refuse its own range, too, is no less right.
bool may_refuse(u64 address) { return !is_canonical(address) || (address >= hypervisor_start && address < hypervisor_end); }

/// The trap arrives as a fault on the handler's first instruction.
void check_trap_table()
{
    for (u64 address : bad_addresses) {
        trap_info table[2] = {trap_entry(vector_ud, trap_masks_events), {}};
        table[0].address = address;
        long rc = hypercall(__HYPERVISOR_set_trap_table, table);
        if (rc == 0) {
            Trap trap = catch_trap([] { asm volatile("ud2"); });
            CHECK(trap.is(vector_pf));
            CHECK_EQ(trap.frame.rip, address);
            CHECK_EQ(trap.frame.cs, 1ul << 32 | flat_kernel_cs);
        } else {
            CHECK_EQ(rc, -XEN_EINVAL);
            CHECK(may_refuse(address));
        }
        install_traps();
        CHECK(catch_trap([] { asm volatile("ud2"); }).is(vector_ud));
    }
}

void check_callbacks()
{
    set_up_user_mode();
    mask_upcalls();
    for (u64 address : bad_addresses) {
        callback_register arg{CALLBACKTYPE_syscall, CALLBACKF_mask_events, address};
        long rc = hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &arg);
        if (rc == 0) {
            UserStart start;
            start.rip = user_address(h_syscall);
            Trap trap = run_user(start);
            CHECK(trap.is(vector_pf));
            CHECK_EQ(trap.frame.rip, address);
        } else {
            CHECK_EQ(rc, -XEN_EINVAL);
            CHECK(may_refuse(address));
        }
        arg.type = CALLBACKTYPE_event;
        rc = hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &arg);
        if (rc == 0) {
            long port = bind_ipi();
            unmask_port(port);
            send(port);
            Trap trap = catch_trap([] { unmask_upcalls(); });
            CHECK(trap.is(vector_pf));
            mask_upcalls();
            handle_events(*vcpu0);
            close_port(port);
        } else {
            CHECK_EQ(rc, -XEN_EINVAL);
            CHECK(may_refuse(address));
        }
    }
    install_traps();
    callback_register arg{99, 0, number(image_start)};
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &arg), -XEN_ENOSYS);
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, 1ul << 63), -XEN_EFAULT);
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, 7, &arg), -XEN_ENOSYS);
    callback_unregister gone{CALLBACKTYPE_sysenter, 0};
    long rc = hypercall(__HYPERVISOR_callback_op, CALLBACKOP_unregister, &gone);
    CHECK(rc == -XEN_EINVAL || rc == 0); // Xen never lets one go
}

/// A kernel stack for traps from user mode that cannot be used kills only on use.
void check_stack_switch()
{
    for (u64 rsp : {1ul << 63, hypervisor_start + 4096, 0ul})
        CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, flat_ss, rsp), 0);
    for (u64 ss : {0ul, 0x18ul, 0xe010ul, 0xe033ul, 0xfffful})
        CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, ss, user_entry_stack_top()), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, flat_ss, user_entry_stack_top()), 0);
    UserStart start;
    start.rip = user_address(h_syscall);
    CHECK(run_user(start).is(callback_syscall));
}

} // namespace

void guest::test()
{
    vcpu0->evtchn_upcall_mask = 1;
    check_trap_table();
    check_callbacks();
    check_stack_switch();
}
