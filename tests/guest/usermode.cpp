// What this is: guest user mode: the ways out of it (syscall, int 0x80, exceptions, events), the frames they
// leave, the segment bases of both modes, and that user mode has no hypercalls and no kernel memory.
#include "lib/check.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"
#include "lib/user.hpp"

using namespace guest;

namespace {

extern "C" char u_syscall[], u_syscall_end[], u_int80[], u_int80_end[], u_ud[], u_read[], u_write[], u_spin[], u_gs[], u_fs[], u_bp[],
    u_bp_end[], u_int13[], u_cpuid[], u_cli[], u_sysenter[];
asm(R"(
    .pushsection .user, "ax"
u_syscall:
    mov $0x77, %eax
    mov $0x1111, %ebx
    mov $0x4444, %r10
    syscall
u_syscall_end:
u_int80: int $0x80
u_int80_end:
u_ud:   ud2
u_read: mov (%rdi), %al
        ud2
u_write: movb $1, (%rdi)
        ud2
u_spin: pause
        jmp u_spin
u_gs:   mov %gs:0, %rax
        ud2
u_fs:   mov %fs:0, %rax
        ud2
u_bp:   int3
u_bp_end:
u_int13: int $13
u_cli:  cli
        ud2
u_sysenter: sysenter
        ud2
    .popsection
)");

UserStart at(const char* label)
{
    UserStart start;
    start.rip = user_address(label);
    return start;
}

void check_user_frame(const Trap& trap, u64 vector, u64 error, const char* rip)
{
    if (!CHECK(trap.is(vector)))
        print("  vector %lu error %lx rip %lx cs %lx\n", trap.frame.vector, trap.frame.error, trap.frame.rip, trap.frame.cs);
    CHECK_EQ(trap.frame.error, error);
    CHECK_EQ(trap.frame.rip, user_address(rip));
    CHECK_EQ(trap.frame.cs, flat_cs);
    CHECK_EQ(trap.frame.ss, flat_ss);
    CHECK_EQ(trap.frame.rflags & (flag_if | 0x3000), flag_if);
    CHECK_EQ(trap.frame.rsp, user_stack_top);
    CHECK_EQ(trap.handler_cs, flat_cs);
    CHECK_EQ(trap.handler_mask, 1);
    CHECK_EQ(trap.handler_rflags & (flag_if | flag_tf | flag_nt | flag_ac | 0x3000), flag_if);
    // The frame starts at the top of the stack that stack_switch named.
    bool has_error = vector == vector_pf || vector == vector_gp;
    CHECK_EQ(trap.entry_rsp, user_entry_stack_top() - (has_error ? 8 : 7) * 8);
}

void check_syscall()
{
    UserStart start = at(u_syscall);
    start.rdi = 0xd1, start.rsi = 0x51, start.rdx = 0xd2;
    for (u64 flags : {0ul, u64{VGCF_in_syscall}}) {
        start.flags = flags;
        Trap trap = run_user(start);
        check_user_frame(trap, callback_syscall, 0, u_syscall_end);
        CHECK_EQ(trap.frame.rcx, user_address(u_syscall_end));
        CHECK_EQ(trap.frame.r11 & ~0x10000ul, trap.frame.rflags & ~0x10000ul);
        CHECK_EQ(trap.frame.rax, 0x77);
        CHECK_EQ(trap.frame.rbx, 0x1111);
        CHECK_EQ(trap.frame.r10, 0x4444);
        CHECK_EQ(trap.frame.rdi, 0xd1);
        CHECK_EQ(trap.frame.rsi, 0x51);
        CHECK_EQ(trap.frame.rdx, 0xd2);
    }
    // The flag of the callback decides about the mask.
    CHECK_EQ(register_callback(CALLBACKTYPE_syscall, callback_syscall, 0), 0);
    Trap trap = run_user(at(u_syscall));
    CHECK(trap.is(callback_syscall));
    CHECK_EQ(trap.handler_mask, 0);
    CHECK_EQ(register_callback(CALLBACKTYPE_syscall, callback_syscall), 0);
}

void check_exceptions()
{
    check_user_frame(run_user(at(u_ud)), vector_ud, 0, u_ud);
    check_user_frame(run_user(at(u_int80)), vector_int80, 0, u_int80_end);
    check_user_frame(run_user(at(u_bp)), vector_bp, 0, u_bp_end);
    // Gates with DPL 0 are not for user mode. (QEMU's TCG puts twice the vector into the error code.)
    Trap trap = run_user(at(u_int13));
    CHECK(trap.is(vector_gp));
    CHECK_EQ(trap.frame.error, !on_tenon() && trap.frame.error == 0xd2 ? 0xd2 : 13 * 8 + 2);
    check_user_frame(run_user(at(u_cli)), vector_gp, 0, u_cli);
    // SYSENTER goes to who registered for it; some CPUs do not have it in long mode.
    trap = run_user(at(u_sysenter));
    CHECK(trap.is(callback_sysenter) || trap.is(vector_ud));
    CHECK_EQ(trap.frame.rflags & (flag_if | flag_tf), flag_if);

    UserStart start = at(u_read);
    start.rdi = 0x700123; // not present
    trap = run_user(start);
    check_user_frame(trap, vector_pf, 4, u_read);
    CHECK_EQ(trap.cr2, 0x700123);
    start = at(u_write);
    start.rdi = user_code; // read-only
    trap = run_user(start);
    check_user_frame(trap, vector_pf, 7, u_write);
    CHECK_EQ(trap.cr2, user_code);
    start.rdi = 1ul << 63; // not canonical
    check_user_frame(run_user(start), vector_gp, 0, u_write);
    start.rdi = user_stack + 8; // allowed
    check_user_frame(run_user(start), vector_ud, 0, u_write + 3);
    CHECK_EQ(static_cast<u8*>(user_stack_page())[8], 1);
    start = at(u_ud);
    start.rip = user_stack; // zeroes: add %al,(%rax) with rax = 0
    trap = run_user(start);
    CHECK(trap.is(vector_pf));
    CHECK_EQ(trap.cr2, 0);
}

/// Neither the guest kernel nor the hypervisor can be seen. (Xen lets user mode read the machine-to-phys
/// table, unless the m2p_strict assist is on; Tenon never does.)
void check_isolation()
{
    for (u64 va : {number(image_start), number(boot_info), hypervisor_start, hypervisor_start + (4ul << 39), hypervisor_end - 8}) {
        for (const char* code : {(const char*)u_read, (const char*)u_write}) {
            if (va == hypervisor_start && code == u_read && !on_tenon())
                continue;
            UserStart start = at(code);
            start.rdi = va;
            Trap trap = run_user(start);
            CHECK(trap.is(vector_pf));
            CHECK_EQ(trap.frame.error & ~1ul, code == u_read ? 4 : 6);
            CHECK_EQ(trap.cr2, va);
        }
    }
}

void check_hypercalls_bounce()
{
    UserStart start = at(u_syscall);
    for (u64 nr : {0ul, 17ul, 23ul, 29ul}) {
        start.rax = nr;
        CHECK(run_user(start).is(callback_syscall));
    }
}

u64 kernel_gs_word;

u64 read_gs()
{
    u64 value;
    asm volatile("mov %%gs:0, %0" : "=r"(value));
    return value;
}

void check_segment_bases()
{
    auto words = static_cast<u64*>(user_stack_page());
    words[0] = 0x5e5e, words[1] = 0xf5f5;
    kernel_gs_word = 0xbeef;
    CHECK_EQ(set_segment_base(SEGBASE_GS_KERNEL, number(&kernel_gs_word)), 0);
    CHECK_EQ(set_segment_base(SEGBASE_GS_USER, user_stack), 0);
    CHECK_EQ(set_segment_base(SEGBASE_FS, user_stack + 8), 0);
    CHECK_EQ(read_gs(), 0xbeef);
    Trap trap = run_user(at(u_gs));
    CHECK(trap.is(vector_ud));
    CHECK_EQ(trap.frame.rax, 0x5e5e);
    CHECK_EQ(read_gs(), 0xbeef);
    trap = run_user(at(u_fs));
    CHECK_EQ(trap.frame.rax, 0xf5f5);

    // rdmsr in guest-kernel mode: GS_BASE is the kernel's, KERNEL_GS_BASE the user's.
    auto rdmsr = [](u32 msr) {
        u32 low = 0, high = 0;
        asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
        return u64{high} << 32 | low;
    };
    CHECK_EQ(rdmsr(0xc0000101), &kernel_gs_word);
    CHECK_EQ(rdmsr(0xc0000102), user_stack);
    CHECK_EQ(rdmsr(0xc0000100), user_stack + 8);
    auto wrmsr = [](u32 msr, u64 value) {
        asm volatile("wrmsr" ::"c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
    };
    wrmsr(0xc0000102, user_stack + 8);
    CHECK_EQ(run_user(at(u_gs)).frame.rax, 0xf5f5);
    wrmsr(0xc0000100, user_stack);
    CHECK_EQ(run_user(at(u_fs)).frame.rax, 0x5e5e);
    wrmsr(0xc0000101, number(&kernel_gs_word));
    CHECK_EQ(read_gs(), 0xbeef);

    // Non-canonical bases are refused.
    CHECK_EQ(set_segment_base(SEGBASE_FS, 1ul << 63), -XEN_EINVAL);
    CHECK_EQ(set_segment_base(SEGBASE_GS_KERNEL, 1ul << 47), -XEN_EINVAL);
    CHECK_EQ(set_segment_base(SEGBASE_GS_USER, 1ul << 47), -XEN_EINVAL);
    CHECK_EQ(set_segment_base(4, 0), -XEN_EINVAL);
    CHECK(catch_trap([&] { wrmsr(0xc0000100, 1ul << 63); }).is(vector_gp));

    // A selector: a bad one loads null and still is a success; a null one zeroes the user base.
    CHECK_EQ(set_segment_base(SEGBASE_GS_USER_SEL, 0x1233), 0);
    CHECK_EQ(set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
    CHECK_EQ(rdmsr(0xc0000102), 0);
    CHECK_EQ(set_segment_base(SEGBASE_GS_USER_SEL, 0xe02b), 0);
    CHECK_EQ(set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
    CHECK_EQ(read_gs(), 0xbeef);
    CHECK_EQ(set_segment_base(SEGBASE_FS, 0), 0);
}

/// A pending event is delivered on the way into user mode: the frame shows user mode untouched.
void check_event()
{
    long port = bind_ipi();
    unmask_port(port);
    CHECK_EQ(send(port), 0);
    Trap trap = run_user(at(u_spin));
    CHECK(trap.is(callback_event));
    CHECK_EQ(trap.frame.cs, flat_cs);
    CHECK_EQ(trap.frame.rip, user_address(u_spin));
    CHECK_EQ(trap.frame.rsp, user_stack_top);
    CHECK_EQ(trap.entry_rsp, user_entry_stack_top() - 7 * 8);
    CHECK_EQ(trap.handler_mask, 1);
    mask_upcalls();
    handle_events(*vcpu0);
    CHECK_EQ(close_port(port), 0);
}

void check_stack_switch()
{
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, 0x18, user_entry_stack_top() - 64),
             0); // an RPL 0 selector is put right
    CHECK_EQ(run_user(at(u_ud)).entry_rsp, user_entry_stack_top() - 64 - 7 * 8);
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, flat_ss, user_entry_stack_top() - 8), 0); // aligned down
    CHECK_EQ(run_user(at(u_ud)).entry_rsp, user_entry_stack_top() - 16 - 7 * 8);
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, flat_ss, user_entry_stack_top()), 0);
}

/// What of the hypervisor's slots is in a level-4 table, as bits from slot 256 on.
u64 hypervisor_slots(const void* l4)
{
    u64 present = 0;
    for (unsigned i = 0; i < 16; i++)
        present |= (static_cast<const u64*>(l4)[256 + i] & pte_p) << i;
    return present;
}

/// A table may serve both modes, change from one to the other, or be both at once: events, faults and hypercalls go on.
void check_bases()
{
    constexpr u64 for_user = 1 << 1 | 1 << 4, for_kernel = 0x3f; // image and vCPU areas; with memory below 512 GiB: the first six
    auto works = [] {
        CHECK(run_user(at(u_ud)).is(vector_ud));
        CHECK(run_user(at(u_syscall)).is(callback_syscall));
        CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, flat_ss, user_entry_stack_top()), 0);
    };
    u64* kernel = current_l4();
    auto second = static_cast<u64*>(take_page());
    for (unsigned i = 0; i < 512; i++)
        if (i < 256 || i > 271)
            second[i] = kernel[i];
    CHECK_EQ(make_ro(second), 0);
    CHECK_EQ(mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(second)), 0);
    if (on_tenon()) {
        CHECK_EQ(hypervisor_slots(user_l4()), for_user);
        CHECK_EQ(hypervisor_slots(kernel), for_kernel);
    }
    works();
    CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(second)), 0);
    if (on_tenon())
        CHECK_EQ(hypervisor_slots(second), for_user);
    works();
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(second)), 0);
    if (on_tenon())
        CHECK_EQ(hypervisor_slots(second), for_kernel);
    works();
    CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(kernel)), 0);
    works();
    CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn_of(kernel)), 0);
    CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(kernel)), 0);
    if (on_tenon())
        CHECK_EQ(hypervisor_slots(kernel), for_kernel);
    works();
    CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(user_l4())), 0);
    CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn_of(second)), 0);
    works();
}

} // namespace

void guest::test()
{
    mask_upcalls();
    set_up_user_mode();
    check_syscall();
    check_exceptions();
    check_isolation();
    check_hypercalls_bounce();
    check_segment_bases();
    check_event();
    check_stack_switch();
    check_bases();
}
