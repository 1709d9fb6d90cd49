// What this is: the guest's GDT and LDT: which pages and which descriptors may be in them, loading selectors
// from them, and update_descriptor.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

constexpr u64 code64 = 0x00affb000000ffff, data = 0x00cff3000000ffff;
constexpr u64 code64_dpl0 = 0x00af9b000000ffff, data_dpl0 = 0x00cf93000000ffff;
constexpr u64 tss = 0x0000890000000067, ldt = 0x0000820000000fff, interrupt_gate = 0x00008e0000080000;
constexpr u64 code_and_limit = 0x00cffb000000ffff; // 32-bit

long set_gdt(const u64* frames, u64 entries) { return hypercall(__HYPERVISOR_set_gdt, frames, entries); }
long update_descriptor(u64 maddr, u64 value) { return hypercall(__HYPERVISOR_update_descriptor, maddr, value); }
bool loads(u16 selector)
{
    Trap trap = catch_trap([=] { asm volatile("mov %0, %%fs" ::"r"(selector)); });
    if (trap.taken)
        CHECK_EQ(trap.frame.error, selector & ~3u);
    asm volatile("mov %0, %%fs" ::"r"(0));
    return !trap.taken;
}

u64* gdt;

void check_set_gdt()
{
    gdt = static_cast<u64*>(take_page());
    gdt[2] = code64, gdt[3] = data, gdt[4] = code64_dpl0, gdt[5] = data_dpl0, gdt[6] = code_and_limit;
    u64 frames[16] = {mfn_of(gdt)};
    CHECK_EQ(set_gdt(frames, 16), -XEN_EINVAL); // mapped writable
    CHECK_EQ(make_ro(gdt), 0);
    CHECK_EQ(set_gdt(frames, 16), 0);
    CHECK_REFUSED(make_rw(gdt), -XEN_EBUSY);
    CHECK(loads(3 * 8 | 3));
    CHECK(loads(5 * 8 | 3));  // DPL 0 is raised: otherwise RPL 3 could not load it
    CHECK(!loads(7 * 8 | 3)); // nothing there
    CHECK(!loads(600 * 8 | 3));
    // As code, by a far return to the next instruction.
    for (u64 selector : {2ul * 8 | 3, 4ul * 8 | 3}) {
        Trap trap = catch_trap([=] {
            asm volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1: ud2" ::"r"(selector) : "rax", "memory");
        });
        CHECK(trap.is(vector_ud));
        CHECK_EQ(trap.frame.cs & 0xffff, selector & ~3ul); // RPL 0 says kernel
        CHECK_EQ(trap.handler_cs, flat_cs);
    }
    // Frames may be given again, more than one, or taken away.
    CHECK_EQ(set_gdt(frames, 512), 0);
    auto second = static_cast<u64*>(take_page());
    second[1] = data;
    CHECK_EQ(make_ro(second), 0);
    frames[1] = mfn_of(second);
    CHECK_EQ(set_gdt(frames, 514), 0);
    CHECK(loads(513 * 8 | 3));
    CHECK_EQ(set_gdt(frames, 16), 0);
    CHECK(!loads(513 * 8 | 3));
    CHECK_EQ(make_rw(second), 0);
    CHECK_EQ(set_gdt(nullptr, 0), 0);
    CHECK(!loads(3 * 8 | 3));
    CHECK_EQ(make_rw(gdt), 0);
}

void check_refused_gdt()
{
    u64 frames[16] = {mfn_of(gdt)};
    CHECK_EQ(set_gdt(frames, FIRST_RESERVED_GDT_ENTRY + 1), -XEN_EINVAL);
    CHECK_EQ(set_gdt(frames, ~0u), -XEN_EINVAL);
    CHECK_EQ(set_gdt(reinterpret_cast<u64*>(1ul << 63), 16), -XEN_EFAULT);
    for (u64 frame : {0xb8ul, 0xffffffffful, mfn_of(current_l4())}) {
        frames[0] = frame;
        CHECK_EQ(set_gdt(frames, 16), -XEN_EINVAL);
    }
    frames[0] = mfn_of(gdt);
    for (u64 bad : {tss, ldt, interrupt_gate}) {
        u64 keep = gdt[8];
        gdt[8] = bad;
        CHECK_EQ(make_ro(gdt), 0);
        CHECK_EQ(set_gdt(frames, 16), -XEN_EINVAL);
        CHECK_EQ(make_rw(gdt), 0);
        gdt[8] = keep;
    }
}

void check_update_descriptor()
{
    CHECK_EQ(make_ro(gdt), 0);
    u64 frames[16] = {mfn_of(gdt)};
    CHECK_EQ(set_gdt(frames, 16), 0);
    u64 slot = maddr_of(gdt + 9);
    CHECK_EQ(update_descriptor(slot, data), 0);
    CHECK_EQ(gdt[9] & ~(1ull << 40), data & ~(1ull << 40)); // the CPU may set "accessed"
    CHECK(loads(9 * 8 | 3));
    CHECK_EQ(update_descriptor(slot, code64), 0);
    CHECK_EQ(update_descriptor(slot, 0), 0);
    CHECK(!loads(9 * 8 | 3));
    CHECK_EQ(update_descriptor(slot, data_dpl0), 0);
    CHECK(loads(9 * 8 | 3));
    CHECK_EQ(update_descriptor(slot, data & ~(1ull << 47)), 0); // not present: may be anything
    CHECK_EQ(update_descriptor(slot, tss & ~(1ull << 47)), 0);
    for (u64 bad : {tss, ldt, interrupt_gate}) {
        u64 before = gdt[9];
        CHECK_EQ(update_descriptor(slot, bad), -XEN_EINVAL);
        CHECK_EQ(gdt[9], before);
    }
    CHECK_EQ(update_descriptor(slot + 4, data), -XEN_EINVAL);
    CHECK_EQ(update_descriptor(maddr_of(current_l4()), 0), -XEN_EINVAL);
    CHECK_EQ(update_descriptor(0xb8000, data), -XEN_EINVAL);
    CHECK_EQ(update_descriptor(0x000ffffffffff000, data), -XEN_EINVAL);
    // An ordinary page is simply written, if the descriptor is a good one.
    auto page = static_cast<u64*>(take_page());
    CHECK_EQ(update_descriptor(maddr_of(page + 1), data), 0);
    CHECK_EQ(page[1], data);
    CHECK_EQ(update_descriptor(maddr_of(page + 1), tss), -XEN_EINVAL);
    // A page with descriptors is no page table, and the other way round.
    CHECK(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(gdt)) < 0);
    CHECK(mmu_update_one(maddr_of(gdt + 10), tss) < 0);
    CHECK_EQ(gdt[10], 0);
    CHECK_EQ(set_gdt(nullptr, 0), 0);
    CHECK_EQ(make_rw(gdt), 0);
}

void check_ldt()
{
    auto table = static_cast<u64*>(take_pages(2));
    table[1] = data, table[2] = code64, table[3] = data_dpl0, table[512] = data;
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, number(table) + 8, 16), -XEN_EINVAL);
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, number(table), 8193), -XEN_EINVAL);
    CHECK_EQ(make_ro(table), 0);
    CHECK_EQ(make_ro(table + 512), 0);
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, number(table), 520), 0);
    CHECK(loads(1 * 8 | 7));
    CHECK(loads(3 * 8 | 7));
    CHECK(loads(512 * 8 | 7));
    CHECK(!loads(4 * 8 | 7));
    CHECK(!loads(1000 * 8 | 7)); // beyond the limit
    CHECK_REFUSED(make_rw(table), -XEN_EBUSY);
    Trap trap = catch_trap([] {
        asm volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1: ud2" ::"r"(2ul * 8 | 7) : "rax", "memory");
    });
    CHECK(trap.is(vector_ud));
    CHECK_EQ(trap.frame.cs & 0xffff, 2 * 8 | 4);
    CHECK_EQ(update_descriptor(maddr_of(table + 6), data), 0);
    CHECK(loads(6 * 8 | 7));
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    CHECK(!loads(1 * 8 | 7));
    CHECK_EQ(make_rw(table), 0);
    CHECK_EQ(make_rw(table + 512), 0);
}

/// An LDT page is looked at when it is first used: a writable one, a missing one, one with bad descriptors
/// are of no use.
void check_refused_ldt()
{
    auto table = static_cast<u64*>(take_page());
    table[1] = data;
    auto first_use = [&](u64 va) {
        CHECK_EQ(mmuext(MMUEXT_SET_LDT, va, 16), 0);
        Trap trap = catch_trap([=] { asm volatile("mov %0, %%fs" ::"r"(u16{1 * 8 | 7})); });
        asm volatile("mov %0, %%fs" ::"r"(0));
        CHECK_EQ(mmuext(MMUEXT_SET_LDT, 0, 0), 0);
        return trap;
    };
    Trap trap = first_use(take_empty_va());
    CHECK(trap.is(vector_pf));
    CHECK_EQ(trap.frame.error, 0);
    CHECK_EQ(trap.cr2 & (page_size - 1), 1 * 8); // the guest's address of the descriptor
    trap = first_use(number(table));
    CHECK(trap.is(vector_pf));
    CHECK_EQ(trap.frame.error, 0);
    CHECK_EQ(trap.cr2, table + 1);
    table[5] = interrupt_gate;
    CHECK_EQ(make_ro(table), 0);
    trap = first_use(number(table));
    CHECK(trap.is(vector_pf));
    CHECK_EQ(trap.cr2, table + 1);
    CHECK_EQ(make_rw(table), 0);
}

} // namespace

void guest::test()
{
    check_set_gdt();
    check_refused_gdt();
    check_update_descriptor();
    check_ldt();
    check_refused_ldt();
}
