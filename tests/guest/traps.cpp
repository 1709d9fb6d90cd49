// What this is: exceptions raised in guest-kernel mode: the frame that the hypervisor pushes, to the bit.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

extern "C" char at_ud[], at_gp[], at_pf[], at_de[], at_bp[], at_int80[], at_int[];

/// What holds for every frame from guest-kernel mode; `rip` is where it must point.
void check_frame(const Trap& trap, u64 vector, u64 error, u64 rip, u8 mask_before)
{
    if (!CHECK(trap.is(vector))) {
        print("  vector %lu error %lx rip %lx\n", trap.taken ? trap.frame.vector : ~0ul, trap.frame.error, trap.frame.rip);
        return;
    }
    CHECK_EQ(trap.frame.error, error);
    if (rip)
        CHECK_EQ(trap.frame.rip, rip);
    CHECK_EQ(trap.frame.cs, u64{mask_before} << 32 | flat_kernel_cs);
    CHECK_EQ(trap.frame.ss, flat_ss);
    CHECK_EQ(trap.frame.rflags & flag_if, mask_before ? 0 : flag_if);
    CHECK_EQ(trap.handler_mask, 1);
    CHECK_EQ(trap.handler_cs, flat_cs);
    CHECK_EQ(trap.handler_ss, flat_ss);
    CHECK_EQ(trap.handler_rflags & (flag_if | flag_tf | flag_nt | flag_ac | 0x3000), flag_if);
    CHECK(trap.entry_rsp < trap.frame.rsp);
}

void check_all(u8 mask)
{
    vcpu0->evtchn_upcall_mask = mask;
    check_frame(catch_trap([] { asm volatile(".globl at_ud; at_ud: ud2"); }), vector_ud, 0, number(at_ud), mask);
    CHECK_EQ(vcpu0->evtchn_upcall_mask, mask);
    check_frame(catch_trap([] { asm volatile(".globl at_gp; at_gp: mov (%0), %%al" ::"r"(1ull << 63)
                                             : "rax"); }), vector_gp, 0,
                number(at_gp), mask);
    check_frame(catch_trap([] { asm volatile(".globl at_de; at_de: div %b0" ::"q"(0), "a"(1)); }), vector_de, 0, number(at_de), mask);
    check_frame(catch_trap([] { asm volatile("int3; .globl at_bp; at_bp:"); }), vector_bp, 0, number(at_bp), mask);
    // int n through a gate that only user mode (3), or nobody (0), may use.
    check_frame(catch_trap([] { asm volatile("int $0x80; .globl at_int80; at_int80:"); }), vector_int80, 0, number(at_int80), mask);
    // QEMU's TCG pushes n * 16 + 2 where hardware pushes n * 8 + 2. Tenon puts that right, Xen hands it on.
    Trap refused = catch_trap([] { asm volatile(".globl at_int; at_int: int $0x21"); });
    u64 error = !on_tenon() && refused.frame.error == 0x212 ? 0x212 : 0x10a;
    check_frame(refused, vector_gp, error, number(at_int), mask);
}

void check_page_faults()
{
    vcpu0->evtchn_upcall_mask = 1;
    // Not present: hardware says 4 (user); the guest kernel sees 0.
    u64 hole = take_empty_va();
    Trap trap = catch_trap([=] { asm volatile(".globl at_pf; at_pf: mov (%0), %%al" ::"r"(hole + 5) : "rax"); });
    check_frame(trap, vector_pf, 0, number(at_pf), 1);
    CHECK_EQ(trap.cr2, hole + 5);
    trap = catch_trap([=] { *reinterpret_cast<volatile u8*>(hole + 6) = 1; });
    check_frame(trap, vector_pf, 2, 0, 1);
    CHECK_EQ(trap.cr2, hole + 6);
    // Read-only.
    auto page = static_cast<volatile u8*>(take_page());
    CHECK_EQ(make_ro(const_cast<u8*>(page)), 0);
    trap = catch_trap([=] { page[7] = 1; });
    check_frame(trap, vector_pf, 3, 0, 1);
    CHECK_EQ(trap.cr2, page + 7);
    // No execute.
    CHECK_EQ(update_va_mapping(number(page), mfn_of(const_cast<u8*>(page)) << page_shift | pte_ro | pte_nx), 0);
    trap = catch_trap([=] { reinterpret_cast<void (*)()>(number(page))(); });
    check_frame(trap, vector_pf, 0x11, number(page), 1);
    CHECK_EQ(trap.cr2, page);
    CHECK_EQ(make_rw(const_cast<u8*>(page)), 0);
    // The hypervisor's own range: whatever is there is not for the guest, and present or not does not show.
    for (u64 va : {hypervisor_start + (1ul << 39), hypervisor_start + (2ul << 39), hypervisor_end - 8}) {
        trap = catch_trap([=] { (void)*reinterpret_cast<volatile u64*>(va); });
        CHECK(trap.is(vector_pf));
        CHECK_EQ(trap.frame.error & ~1ull, 0);
        CHECK_EQ(trap.cr2, va);
    }
    trap = catch_trap([] { *reinterpret_cast<volatile u64*>(machine_to_phys_base) = 0; });
    check_frame(trap, vector_pf, 3, 0, 1);
    // mov %cr2 in guest-kernel mode is answered.
    u64 value = 0;
    trap = catch_trap([&] { asm volatile("mov %%cr2, %0" : "=r"(value)); });
    CHECK(!trap.taken);
    CHECK_EQ(value, machine_to_phys_base);
}

bool step_over(Frame& frame)
{
    static int steps;
    frame.rflags &= ~flag_tf;
    steps++;
    last_trap.frame = frame;
    last_trap.taken = true;
    return steps > 0;
}

void check_single_step()
{
    trap_hooks[vector_db] = step_over;
    last_trap.taken = false;
    asm volatile("pushf; orl $0x100, (%%rsp); popf; nop; nop" ::: "cc", "memory");
    CHECK(last_trap.is(vector_db));
    CHECK_EQ(last_trap.frame.rflags & flag_tf, 0);
    trap_hooks[vector_db] = nullptr;
    CHECK_EQ(hypercall(__HYPERVISOR_get_debugreg, 6) & 0x4000, 0x4000);
}

/// Frames start at a 16-byte boundary, whatever the stack pointer was.
void check_alignment()
{
    for (u64 offset = 0; offset < 16; offset += 8) {
        Trap trap = catch_trap([=] { asm volatile("sub %0, %%rsp; ud2" ::"r"(offset) : "memory"); });
        CHECK_EQ((trap.entry_rsp + 7 * 8) & 15, 0);
        CHECK_EQ(trap.entry_rsp + 7 * 8, trap.frame.rsp & ~15ull);
        trap = catch_trap([=] { asm volatile("sub %0, %%rsp; mov (%1), %%al" ::"r"(offset), "r"(1ull << 63) : "memory", "rax"); });
        CHECK_EQ(trap.entry_rsp + 8 * 8, trap.frame.rsp & ~15ull);
    }
}

/// Every register comes through: RCX and R11 in the frame, the others untouched.
void check_registers()
{
    Trap trap = catch_trap([] {
        asm volatile("mov $0x1111, %%rcx; mov $0x2222, %%r11; mov $0x3333, %%rax; mov $0x4444, %%rdi; mov "
                     "$0x5555, %%r10;"
                     "mov $0x6666, %%rdx; mov $0x7777, %%r8; ud2" ::
                         : "rcx", "r11", "rax", "rdi", "r10", "rdx", "r8");
    });
    CHECK_EQ(trap.frame.rcx, 0x1111);
    CHECK_EQ(trap.frame.r11, 0x2222);
    CHECK_EQ(trap.frame.rax, 0x3333);
    CHECK_EQ(trap.frame.rdi, 0x4444);
    CHECK_EQ(trap.frame.r10, 0x5555);
    CHECK_EQ(trap.frame.rdx, 0x6666);
    CHECK_EQ(trap.frame.r8, 0x7777);
}

/// Without the flag the mask stays as it was.
void check_unmasked_delivery()
{
    install_traps(0);
    for (u8 mask : {0, 1}) {
        vcpu0->evtchn_upcall_mask = mask;
        Trap trap = catch_trap([] { asm volatile("ud2"); });
        CHECK(trap.is(vector_ud));
        CHECK_EQ(trap.saved_mask(), mask);
        CHECK_EQ(trap.handler_mask, mask);
    }
    install_traps();
}

/// A table is added to what is there; an entry with address 0 ends it.
void check_table_updates()
{
    trap_info none[1] = {};
    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, none), 0);
    trap_info one[2] = {trap_entry(vector_ud, 0), {}};
    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, one), 0);
    vcpu0->evtchn_upcall_mask = 0;
    Trap trap = catch_trap([] { asm volatile("ud2"); });
    CHECK_EQ(trap.handler_mask, 0);
    trap = catch_trap([] { asm volatile("int3"); });
    CHECK_EQ(trap.handler_mask, 1);
    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, 1ul << 63), -XEN_EFAULT);
    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, take_empty_va()), -XEN_EFAULT);
    install_traps();
}

} // namespace

void guest::test()
{
    check_all(1);
    check_all(0);
    check_page_faults();
    check_single_step();
    check_alignment();
    check_registers();
    check_unmasked_delivery();
    check_table_updates();
}
