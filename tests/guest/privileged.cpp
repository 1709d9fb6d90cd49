// What this is: privileged instructions in guest-kernel mode: which ones the hypervisor answers, with what,
// and which ones come back as #GP. A caught instruction must leave nothing behind.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

u64 rdmsr(u32 msr)
{
    u32 low = 0, high = 0;
    asm volatile("rdmsr" : "+a"(low), "=d"(high) : "c"(msr));
    return u64{high} << 32 | low;
}
void wrmsr(u32 msr, u64 value)
{
    asm volatile("wrmsr" ::"c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}

/// A prefix that changes nothing about an instruction, but takes it off the hypervisor's short path.
#define LONG_WAY ".byte 0x48; "

u64 rdmsr_long_way(u32 msr)
{
    u32 low = 0, high = 0;
    asm volatile(LONG_WAY "rdmsr" : "+a"(low), "=d"(high) : "c"(msr));
    return u64{high} << 32 | low;
}

/// Prints what became of an instruction when it is not what was expected.
#define EXPECT_DONE(...) CHECK(!catch_trap([&] { asm volatile(__VA_ARGS__); }).taken)
#define EXPECT_GP(...)                                              \
    do {                                                            \
        Trap trap = catch_trap([&] { asm volatile(__VA_ARGS__); }); \
        CHECK(trap.is(vector_gp));                                  \
        CHECK_EQ(trap.frame.error, 0);                              \
    } while (0)

/// Xen refuses these; to answer them harmlessly is no less right.
#define EXPECT_GP_OR_NOTHING(...)                                   \
    do {                                                            \
        Trap trap = catch_trap([&] { asm volatile(__VA_ARGS__); }); \
        CHECK(!trap.taken || trap.is(vector_gp));                   \
    } while (0)

void check_control_registers()
{
    u64 value = 0;
    EXPECT_DONE("mov %%cr0, %0" : "=r"(value));
    CHECK_EQ(value & ~8ul, 0x80050033);
    EXPECT_DONE("mov %%cr3, %0" : "=r"(value));
    CHECK_EQ(value, maddr_of(current_l4()));
    EXPECT_DONE("mov %%cr4, %0" : "=r"(value));
    CHECK_EQ(value & 0x620, 0x620);                               // PAE, OSFXSR, OSXMMEXCPT
    CHECK_EQ(value & (1 << 20 | 1 << 21 | 1 << 11 | 1 << 12), 0); // SMEP, SMAP, UMIP, LA57
    print("cr0 80050033 cr4 %lx\n", value);
    EXPECT_DONE("mov %0, %%cr4" ::"r"(value));
    EXPECT_DONE("mov %0, %%cr3" ::"r"(maddr_of(current_l4())));
    // FSGSBASE works as the guest's CR4 says, if the CPU has it.
    const u64 cr4 = value;
    EXPECT_DONE("mov %0, %%cr4" ::"r"(cr4 & ~(1ul << 16)));
    CHECK(catch_trap([] { asm volatile("rdfsbase %%rax" ::: "rax"); }).is(vector_ud));
    EXPECT_DONE("mov %0, %%cr4" ::"r"(cr4 | 1 << 16));
    EXPECT_DONE("mov %%cr4, %0" : "=r"(value));
    if (value >> 16 & 1)
        EXPECT_DONE("rdfsbase %0" : "=r"(value));
    EXPECT_DONE("mov %0, %%cr4" ::"r"(cr4));
    // TS is virtual.
    EXPECT_DONE("clts");
    EXPECT_DONE("mov %%cr0, %0" : "=r"(value));
    CHECK_EQ(value, 0x80050033);
    EXPECT_DONE("mov %0, %%cr0" ::"r"(0x8005003bul));
    CHECK(catch_trap([] { asm volatile("fninit"); }).is(vector_nm));
    EXPECT_DONE("clts");
    EXPECT_DONE("fninit");
    CHECK_EQ(hypercall(__HYPERVISOR_fpu_taskswitch, 1), 0);
    EXPECT_DONE("mov %%cr0, %0" : "=r"(value));
    CHECK_EQ(value, 0x8005003b);
    CHECK(catch_trap([] { asm volatile("fninit"); }).is(vector_nm));
    // The #NM does not clear it by itself in the frame's view: the guest says so.
    CHECK_EQ(hypercall(__HYPERVISOR_fpu_taskswitch, 0), 0);
    EXPECT_DONE("fninit");
    // Changing anything else in CR0 is refused or comes to nothing.
    EXPECT_GP_OR_NOTHING("mov %0, %%cr0" ::"r"(0x00050033ul));
    EXPECT_GP("mov %0, %%cr3" ::"r"(maddr_of(image_start) & ~0xffful));
    EXPECT_GP("mov %0, %%cr3" ::"r"(0x000ffffffffff000ul));
    EXPECT_GP_OR_NOTHING("mov %%cr8, %0" : "=r"(value));
    EXPECT_DONE("mov %%cr3, %0" : "=r"(value));
    CHECK_EQ(value, maddr_of(current_l4()));
    EXPECT_DONE("mov %%cr0, %0" : "=r"(value));
    CHECK_EQ(value, 0x80050033);
}

void check_interrupt_flag()
{
    physdev_set_iopl iopl{1};
    CHECK_EQ(physdev(PHYSDEVOP_set_iopl, &iopl), 0);
    for (u8 mask : {0, 1}) {
        vcpu0->evtchn_upcall_mask = mask;
        EXPECT_DONE("cli");
        CHECK_EQ(vcpu0->evtchn_upcall_mask, mask);
        EXPECT_DONE("sti");
        EXPECT_DONE(LONG_WAY "cli");
        EXPECT_DONE(LONG_WAY "sti");
        CHECK_EQ(vcpu0->evtchn_upcall_mask, mask);
    }
    u64 flags = 0;
    asm volatile("pushf; pop %0; push %0; popf" : "=r"(flags));
    CHECK_EQ(flags & 0x3200, 0x200);
    iopl.iopl = 0;
    CHECK_EQ(physdev(PHYSDEVOP_set_iopl, &iopl), 0);
    EXPECT_GP_OR_NOTHING("cli");
    EXPECT_GP_OR_NOTHING("sti");
    iopl.iopl = 1;
    physdev(PHYSDEVOP_set_iopl, &iopl);
    vcpu0->evtchn_upcall_mask = 1;
}

void check_msrs()
{
    u64 value = 0;
    auto reads = [&](u32 msr) { return !catch_trap([&] { value = rdmsr(msr); }).taken; };
    auto writes = [&](u32 msr, u64 what) { return !catch_trap([&] { wrmsr(msr, what); }).taken; };
    CHECK(reads(0x277));
    CHECK_EQ(value, 0x050100070406);
    CHECK(reads(0xc0000080));
    CHECK_EQ(value & 0xd01, 0xd01); // NX, LMA, LME, SCE
    print("efer %lx\n", value);
    CHECK(writes(0xc0000080, value));
    CHECK(reads(0x1b));
    CHECK_EQ(value & 0x800, 0x800);
    print("apic_base %lx\n", value);
    CHECK(reads(0x10));
    CHECK(reads(0x8b));
    CHECK(reads(0x179));
    print("mcg_cap %lx\n", value);
    u32 a = 0, b, c = 0, d;
    asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (b == 0x756e6547) // "Genu": MISC_ENABLE is Intel's
        CHECK(reads(0x1a0));
    for (u32 msr : {0x277u, 0xc0000080u, 0x1bu, 0x8bu, 0x179u, 0xc0000100u, 0xc0000101u, 0xc0000102u})
        CHECK_EQ(rdmsr(msr), rdmsr_long_way(msr));
    const u64 old = rdmsr(0xc0000102);
    for (u64 base : {0x1234'5678'9abcul, 0xffff'ffff'8123'4567ul}) {
        CHECK(writes(0xc0000102, base));
        CHECK_EQ(rdmsr(0xc0000102), base);
        EXPECT_DONE(LONG_WAY "wrmsr" ::"c"(0xc0000102), "a"(u32(~base)), "d"(u32(~base >> 32)));
        CHECK_EQ(rdmsr_long_way(0xc0000102), ~base);
    }
    CHECK(!writes(0xc0000102, 1ul << 60));
    CHECK(writes(0xc0000102, old));
    // These are the hypervisor's own; a guest neither sees nor changes where it enters.
    for (u32 msr : {0xc0000081u, 0xc0000082u, 0xc0000083u, 0xc0000084u, 0x174u, 0x175u, 0x176u, 0x4b564d00u, 0x12345u}) {
        CHECK(catch_trap([&] { rdmsr(msr); }).is(vector_gp));
        Trap trap = catch_trap([&] { wrmsr(msr, 0xdead); }); // kernels take both answers
        CHECK(!trap.taken || trap.is(vector_gp));
    }
    for (u32 msr : {0x3au, 0x40000000u}) {
        Trap trap = catch_trap([&] { wrmsr(msr, 0xdead); });
        CHECK(!trap.taken || trap.is(vector_gp));
    }
    CHECK(catch_trap([] { asm volatile("ud2"); }).is(vector_ud)); // and still gets its traps where it should
    CHECK_EQ(xen_version(0), 4 << 16 | 17);
}

/// A part of rax changes and the rest stays; 32 bits clear the upper half. The configuration address is the host bridge's.
void check_port_forms()
{
    constexpr u64 before = 0x1122'3344'5566'7788;
    u64 rax = before;
    EXPECT_DONE("inb %%dx, %%al" : "+a"(rax) : "d"(0xcfc));
    CHECK_EQ(rax, 0x1122'3344'5566'7786);
    rax = before;
    EXPECT_DONE("inw %%dx, %%ax" : "+a"(rax) : "d"(0xcfc));
    CHECK_EQ(rax, 0x1122'3344'5566'8086);
    rax = before;
    EXPECT_DONE("inl %%dx, %%eax" : "+a"(rax) : "d"(0xcfc));
    CHECK_EQ(rax, 0x1237'8086);
    rax = before;
    EXPECT_DONE(LONG_WAY "inl %%dx, %%eax" : "+a"(rax) : "d"(0xcfc));
    CHECK_EQ(rax, 0x1237'8086);
    // A port by immediate number, an interrupt controller's.
    u64 short_way = before;
    EXPECT_DONE("inb $0x21, %%al" : "+a"(short_way));
    CHECK_EQ(short_way >> 8, before >> 8);
    rax = before;
    EXPECT_DONE(LONG_WAY "inb $0x21, %%al" : "+a"(rax));
    CHECK_EQ(rax, short_way);
    // The interval timer is not running and looks like it: a kernel that waits for its counter to fall from ffff stops at once.
    EXPECT_DONE("inb $0x42, %%al" : "+a"(rax));
    CHECK(!on_tenon() || u8(rax) == 0);
}

void check_ports()
{
    u32 value = 0;
    physdev_set_iopl iopl{1};
    physdev(PHYSDEVOP_set_iopl, &iopl);
    // RTC seconds: dom0 drives the machine.
    asm volatile("outb %b0, %w1" ::"a"(0), "d"(0x70));
    EXPECT_DONE("inb %w1, %b0" : "=a"(value) : "d"(0x71));
    CHECK((value & 0xff) < 0x60);
    // PCI configuration space of the host bridge.
    EXPECT_DONE("outl %0, %w1" ::"a"(0x80000000u), "d"(0xcf8));
    EXPECT_DONE("inl %w1, %0" : "=a"(value) : "d"(0xcfc));
    CHECK_EQ(value, 0x12378086);
    EXPECT_DONE("inw %w1, %w0" : "=a"(value) : "d"(0xcfe));
    CHECK_EQ(value & 0xffff, 0x1237);
    EXPECT_DONE("inb $0x61, %b0" : "=a"(value));
    EXPECT_DONE("outb %b0, $0x80" ::"a"(0));
    check_port_forms();
    // String forms.
    u8 buffer[4] = {};
    void* to = buffer;
    u64 count = 2;
    EXPECT_DONE("rep insw" : "+D"(to), "+c"(count) : "d"(0xcfc) : "memory");
    CHECK_EQ(to, buffer + 4);
    CHECK_EQ(buffer[0] | buffer[1] << 8, 0x8086);
    const void* from = buffer;
    count = 1;
    EXPECT_DONE("rep outsb" : "+S"(from), "+c"(count) : "d"(0x80) : "memory");
    CHECK_EQ(from, buffer + 1);
    // insb into memory that is not there: the guest's own page fault.
    to = reinterpret_cast<void*>(take_empty_va());
    Trap trap = catch_trap([&] { asm volatile("insb" : "+D"(to) : "d"(0x71) : "memory"); });
    CHECK(trap.is(vector_pf));
    CHECK_EQ(trap.frame.error, 2);
    // The interrupt controllers and the hypervisor's timer are not dom0's; the accesses come to nothing, also those that start below.
    for (u32 port : {0x1fu, 0x9eu, 0x3du, 0x3f5u}) {
        Trap caught = catch_trap([&] { asm volatile("inl %w1, %0" : "=a"(value) : "d"(port)); });
        CHECK(caught.taken || value == ~0u);
    }
    for (u32 port : {0x20u, 0x21u, 0xa0u, 0xa1u, 0x40u, 0x43u, 0x3f8u}) {
        Trap caught = catch_trap([&] { asm volatile("inb %w1, %b0" : "=a"(value) : "d"(port)); });
        print("inb %x: %s %x\n", port, caught.taken ? "trap" : "answered", value & 0xff);
        CHECK(!caught.taken);
    }
}

void check_forced_cpuid()
{
    u32 a = 1, b, c = 0, d;
    Trap trap = catch_trap([&] { asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)); });
    CHECK(!trap.taken);
    CHECK(c >> 31);
    // Any other instruction behind the prefix is just a ud2.
    trap = catch_trap([] { asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; rdtsc"); });
    CHECK(trap.is(vector_ud));
    // A prefix that runs off the end of mapped memory.
    auto pages = static_cast<u8*>(take_pages(2));
    update_va_mapping(number(pages + page_size), 0);
    const u8 bytes[] = {0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2, 0xc3};
    for (unsigned inside = 2; inside < 7; inside++) {
        memcpy(pages + page_size - inside, bytes, inside);
        u64 start = number(pages + page_size - inside);
        trap = catch_trap([=] { asm volatile("call *%0" ::"r"(start) : "rax", "rbx", "rcx", "rdx", "memory"); });
        CHECK(trap.is(vector_ud) || trap.is(vector_pf));
        if (trap.is(vector_ud))
            CHECK_EQ(trap.frame.rip, start);
        else
            CHECK_EQ(trap.cr2, pages + page_size);
    }
}

void check_others()
{
    EXPECT_DONE("wbinvd" ::: "memory");
    auto page = static_cast<u8*>(take_page());
    EXPECT_GP_OR_NOTHING("invlpg (%0)" ::"r"(page) : "memory");
    u32 low = 0, high = 0;
    EXPECT_DONE("rdtsc" : "=a"(low), "=d"(high));
    // xsetbv: what CPUID offers is accepted, anything else is not.
    u32 a = 1, b, c = 0, d;
    asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (c >> 26 & 1) {
        u64 cr4 = 0;
        asm volatile("mov %%cr4, %0" : "=r"(cr4));
        asm volatile("mov %0, %%cr4" ::"r"(cr4 | 1 << 18)); // OSXSAVE
        EXPECT_DONE("xsetbv" ::"a"(3), "d"(0), "c"(0));
        EXPECT_DONE("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        CHECK_EQ(low, 3);
        EXPECT_GP("xsetbv" ::"a"(2), "d"(0), "c"(0)); // without x87
        EXPECT_GP("xsetbv" ::"a"(3), "d"(0x80000000), "c"(0));
        EXPECT_GP("xsetbv" ::"a"(3), "d"(0), "c"(1));
    } else {
        skip("no XSAVE on this CPU model");
    }
    EXPECT_GP("hlt");
    u64 table[2] = {};
    EXPECT_GP("lgdt %0" ::"m"(table));
    EXPECT_GP("lidt %0" ::"m"(table));
    EXPECT_GP("lldt %w0" ::"r"(0));
    EXPECT_GP("ltr %w0" ::"r"(0));
    EXPECT_GP_OR_NOTHING("lmsw %w0" ::"r"(0x33));
    EXPECT_GP_OR_NOTHING("invd");
    EXPECT_GP("swapgs");
    EXPECT_GP("sysretq");
    CHECK(catch_trap([] { asm volatile("vmcall"); }).taken);
    CHECK(catch_trap([] { asm volatile("vmmcall"); }).taken);
    CHECK(catch_trap([] { asm volatile("monitor" ::"a"(0), "c"(0), "d"(0)); }).taken);
    CHECK(catch_trap([] { asm volatile("rdpmc" ::"c"(0) : "eax", "edx"); }).is(vector_gp));
}

} // namespace

void guest::test()
{
    check_control_registers();
    check_interrupt_flag();
    check_msrs();
    check_ports();
    check_forced_cpuid();
    check_others();
}
