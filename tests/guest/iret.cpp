// What this is: the iret hypercall in guest-kernel mode: which parts of the frame count, what becomes of
// flags and selectors, and where a return goes that the CPU refuses.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

extern "C" char landing[], landing_in_syscall[];
asm(".text\n landing: ud2\n landing_in_syscall: ud2\n");

alignas(16) char other_stack[4096];

Trap go(Frame frame, u64 flags = 0)
{
    return catch_trap([&] {
        iret_flags = flags;
        enter_frame(&frame);
    });
}

Frame to_landing()
{
    Frame frame{};
    frame.rip = number(landing);
    frame.cs = flat_kernel_cs;
    frame.ss = flat_ss;
    frame.rsp = number(other_stack + 2048);
    frame.rflags = flag_if | 2;
    frame.rax = 0xa, frame.rcx = 0xc, frame.r11 = 0x11, frame.rdx = 0xd, frame.r8 = 0x8;
    return frame;
}

void check_registers()
{
    Trap trap = go(to_landing());
    CHECK(trap.is(vector_ud));
    CHECK_EQ(trap.frame.rip, landing);
    CHECK_EQ(trap.frame.rsp, other_stack + 2048);
    CHECK_EQ(trap.frame.rax, 0xa);
    CHECK_EQ(trap.frame.rcx, 0xc);
    CHECK_EQ(trap.frame.r11, 0x11);
    CHECK_EQ(trap.frame.rdx, 0xd);
    CHECK_EQ(trap.frame.r8, 0x8);
    CHECK_EQ(trap.frame.cs, flat_kernel_cs); // mask 0: IF was set
    CHECK_EQ(trap.frame.ss, flat_ss);

    // VGCF_in_syscall: RCX and R11 need not come through, everything else does.
    trap = go(to_landing(), VGCF_in_syscall);
    CHECK(trap.is(vector_ud));
    CHECK_EQ(trap.frame.rip, landing);
    CHECK_EQ(trap.frame.rsp, other_stack + 2048);
    CHECK_EQ(trap.frame.rax, 0xa);
    CHECK_EQ(trap.frame.rdx, 0xd);
    CHECK_EQ(trap.frame.cs, flat_kernel_cs);
}

void check_selectors()
{
    // RPL 0, 1 and 2 mean guest-kernel mode; the upper part of the slot (a mask from an earlier frame) says
    // nothing.
    for (u64 cs : {0xe030ul, 0xe031ul, 0xe032ul, 0x1'0000'e030ul, 0xdead'0001'0000'e030ul}) {
        Frame frame = to_landing();
        frame.cs = cs;
        Trap trap = go(frame);
        CHECK(trap.is(vector_ud));
        CHECK_EQ(trap.frame.cs, flat_kernel_cs);
    }
    // A stack selector with a lower RPL is brought to 3.
    for (u64 ss : {0xe028ul, 0xe029ul, 0xe02aul}) {
        Frame frame = to_landing();
        frame.ss = ss;
        Trap trap = go(frame);
        CHECK(trap.is(vector_ud));
        CHECK_EQ(trap.frame.ss, flat_ss);
    }
}

void check_flags()
{
    struct {
        u64 given, seen;
    } cases[] = {
        {flag_if | 2, flag_if | 2},
        {2, 2},                          // events masked
        {0, 2},                          // bit 1 is always set
        {flag_if | 0x3000, flag_if | 2}, // IOPL is not the guest's
        {flag_if | flag_ac, flag_if | flag_ac | 2},
        {flag_if | flag_df | 0x8d5, flag_if | flag_df | 0x8d7},
        {flag_if | flag_nt, flag_if | 2},         // Xen lets NT through, which is of no use to anybody
        {flag_if | 0x1a0000, flag_if | 2},        // VM, VIF, VIP
        {flag_if | 0x200000, flag_if | 0x200002}, // ID
    };
    for (auto& c : cases) {
        Frame frame = to_landing();
        frame.rflags = c.given;
        Trap trap = go(frame);
        CHECK(trap.is(vector_ud));
        CHECK_EQ(trap.frame.rflags & ~(0x10000ul | flag_nt), c.seen);
        CHECK_EQ(trap.saved_mask(), c.given & flag_if ? 0 : 1);
    }
}

/// What the CPU refuses is raised as if the guest's own iret had done so, with the frame that could not be returned to.
void refused(Frame frame, u64 vector, u64 error, u64 flags = 0)
{
    Trap trap = go(frame, flags);
    CHECK_EQ(trap.frame.vector, vector);
    CHECK_EQ(trap.frame.error, error);
    CHECK_EQ(trap.frame.rip, frame.rip);
    CHECK_EQ(trap.frame.cs, frame.cs);
    CHECK_EQ(trap.frame.ss, frame.ss | 3);
    CHECK_EQ(trap.frame.rsp, other_stack + 2048);
    CHECK_EQ(trap.entry_rsp, other_stack + 2048 - 8 * 8);
    CHECK_EQ(trap.handler_mask, 1);
}

void check_refused_selectors()
{
    auto selectors = [](u64 cs, u64 ss, u64 error, u64 vector = vector_gp) {
        Frame frame = to_landing();
        frame.cs = cs;
        frame.ss = ss;
        refused(frame, vector, error);
    };
    selectors(0x1234, flat_ss, 0x1234); // an LDT that is not there
    selectors(0x1230, flat_ss, 0x1230); // beyond the guest's (empty) GDT
    selectors(0, flat_ss, 0);           // null
    selectors(0xe028, flat_ss, 0xe028); // a data segment
    selectors(0xe008, flat_ss, 0xe008); // the hypervisor's own code segment must not be a way in
    selectors(flat_kernel_cs, 0x4320, 0x4320);
    selectors(flat_kernel_cs, flat_cs, 0xe030); // a code segment
    selectors(flat_kernel_cs, 0xe010, 0xe010);  // the hypervisor's own stack segment

    constexpr u64 absent_code = 0x00af7b000000ffff, absent_data = 0x00cf73000000ffff;
    auto* gdt = static_cast<u64*>(take_page());
    gdt[1] = absent_code, gdt[2] = absent_data;
    u64 frames[1] = {mfn_of(gdt)};
    CHECK_EQ(make_ro(gdt), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, frames, 16), 0);
    selectors(8, flat_ss, 8, vector_np);
    Frame frame = to_landing();
    frame.ss = 16;
    Trap trap = go(frame);
    CHECK(trap.is(vector_ss) || trap.is(vector_np)); // #SS [SDM 2A, IRET]; QEMU and Bochs raise #NP
    CHECK_EQ(trap.frame.error, 16);
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, nullptr, 0), 0);
}

/// An LDT page that is used for the first time by the return itself: what is good works, what is not is the guest's page fault.
void check_first_use_of_ldt()
{
    constexpr u64 code = 0x00affb000000ffff;
    auto* table = static_cast<u64*>(take_page());
    table[1] = code;
    CHECK_EQ(make_ro(table), 0);
    Frame frame = to_landing();
    frame.cs = 1 * 8 | 4;
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, number(table), 16), 0);
    Trap trap = go(frame);
    CHECK(trap.is(vector_ud));
    CHECK_EQ(trap.frame.rip, landing);
    CHECK_EQ(trap.frame.cs, frame.cs);
    CHECK_EQ(trap.frame.rax, frame.rax);
    CHECK_EQ(trap.frame.rdx, frame.rdx);

    u64 nothing = take_empty_va();
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, nothing, 16), 0);
    trap = go(frame);
    CHECK(trap.is(vector_pf));
    CHECK_EQ(trap.frame.error, 0);
    CHECK_EQ(trap.cr2, nothing + 8);
    CHECK_EQ(trap.frame.rip, landing);
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, 0, 0), 0);
}

/// A return address the CPU cannot run is reported there, not where the iret was.
void check_bad_addresses()
{
    for (u64 flags : {0ul, u64{VGCF_in_syscall}}) {
        Frame frame = to_landing();
        for (u64 rip : {0x0000'8000'0000'0000ul, 0x8000'0000'0000'0000ul, 0xffff'7fff'ffff'fffful}) {
            frame.rip = rip; // not canonical: IRET itself refuses it, or, in QEMU, the first fetch [SDM 2A, IRET; APM 3, IRET]
            refused(frame, vector_gp, 0, flags);
        }
        frame.rip = hypervisor_start + (1ul << 39);
        Trap trap = go(frame, flags);
        CHECK(trap.is(vector_pf));
        CHECK_EQ(trap.frame.error & ~1ul, 0x10);
        CHECK_EQ(trap.frame.rip, frame.rip);
        CHECK_EQ(trap.frame.cs, flat_kernel_cs);
    }
}

} // namespace

void guest::test()
{
    vcpu0->evtchn_upcall_mask = 1;
    check_registers();
    check_selectors();
    check_flags();
    check_refused_selectors();
    check_first_use_of_ldt();
    check_bad_addresses();
}
