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

/// Selectors the CPU refuses. The ABI has the failsafe callback for this; Xen 4.17 raises #GP as if the
/// guest's own iret had, after the switch. Either way the frame is the one that could not be returned to.
void check_refused_selectors()
{
    auto refused = [](u64 cs, u64 ss, u64 error) {
        Frame frame = to_landing();
        frame.cs = cs;
        frame.ss = ss;
        Trap trap = go(frame);
        CHECK(trap.is(vector_gp) || trap.is(callback_failsafe));
        if (trap.is(vector_gp))
            CHECK_EQ(trap.frame.error, error);
        CHECK_EQ(trap.frame.rip, landing);
        CHECK_EQ(trap.frame.cs, cs);
        CHECK_EQ(trap.frame.ss, ss | 3);
        CHECK_EQ(trap.frame.rsp, other_stack + 2048);
        CHECK_EQ(trap.entry_rsp & ~15ul, number(other_stack + 2048 - (trap.is(vector_gp) ? 8 : 11) * 8) & ~15ul);
        CHECK_EQ(trap.handler_mask, 1);
    };
    refused(0x1234, flat_ss, 0x1234); // an LDT that is not there
    refused(0x1230, flat_ss, 0x1230); // beyond the guest's (empty) GDT
    refused(0, flat_ss, 0);           // null
    refused(0xe028, flat_ss, 0xe028); // a data segment
    refused(0xe008, flat_ss, 0xe008); // the hypervisor's own code segment must not be a way in
    refused(flat_kernel_cs, 0x4320, 0x4320);
    refused(flat_kernel_cs, flat_cs, 0xe030); // a code segment
    refused(flat_kernel_cs, 0xe010, 0xe010);  // the hypervisor's own stack segment
}

/// A return address the CPU cannot run is reported there, not where the iret was.
void check_bad_addresses()
{
    for (u64 flags : {0ul, u64{VGCF_in_syscall}}) {
        for (u64 rip : {0x0000'8000'0000'0000ul, 0x8000'0000'0000'0000ul, 0xffff'7fff'ffff'fffful, hypervisor_start + (1ul << 39)}) {
            Frame frame = to_landing();
            frame.rip = rip;
            Trap trap = go(frame, flags);
            bool canonical = rip >= hypervisor_start;
            CHECK(trap.is(canonical ? vector_pf : vector_gp));
            CHECK_EQ(trap.frame.error & ~1ul, canonical ? 0x10 : 0);
            CHECK_EQ(trap.frame.rip, rip);
            CHECK_EQ(trap.frame.cs, flat_kernel_cs);
        }
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
    check_bad_addresses();
}
