// What this is: plain instructions that write into an L1 table: each is carried out as if it were an
// mmu_update. Writes to tables of other levels, to read-only pages that are no tables, and of entries that
// are not allowed, are the guest's fault.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

u64 va;             ///< a page nobody uses
volatile u64* slot; ///< its L1 entry, in the read-only mapping of the table
u64 *page_a, *page_b;

u64 entry_for(const void* page, u64 bits) { return mfn_of(page) << page_shift | bits; }

template <class Code> bool done(Code code)
{
    Trap trap = catch_trap(code);
    if (trap.taken)
        print("  trap %lu error %lx rip %lx cr2 %lx\n", trap.frame.vector, trap.frame.error, trap.frame.rip, trap.cr2);
    return !trap.taken;
}

u64 through()
{
    mmuext(MMUEXT_INVLPG_LOCAL, va);
    return *reinterpret_cast<volatile u64*>(va);
}

void check_writes()
{
    u64 a = entry_for(page_a, pte_rw), b = entry_for(page_b, pte_rw), old = 0;
    page_a[0] = 0xaaaa, page_b[0] = 0xbbbb;
    CHECK(done([=] { asm volatile("mov %1, %0" : "=m"(*slot) : "r"(a)); }));
    CHECK_EQ(*slot & ~(1ull << 52 | pte_g), a); // Xen adds bits of its own
    CHECK_EQ(through(), 0xaaaa);
    old = b;
    CHECK(done([&] { asm volatile("xchg %0, %1" : "+r"(old), "+m"(*slot)); }));
    CHECK_EQ(old & pte_frame_mask, a & pte_frame_mask);
    CHECK_EQ(old & pte_a, pte_a);
    CHECK_EQ(through(), 0xbbbb);
    // One byte: write protection as fork does it.
    CHECK(done([] { asm volatile("lock andb $0xfd, %0" : "+m"(*reinterpret_cast<volatile u8*>(slot))); }));
    CHECK_EQ(*slot & (pte_p | pte_w), pte_p);
    mmuext(MMUEXT_INVLPG_LOCAL, va);
    CHECK(catch_trap([] { *reinterpret_cast<volatile u64*>(va) = 0; }).is(vector_pf));
    CHECK(done([] { asm volatile("lock orb $2, %0" : "+m"(*reinterpret_cast<volatile u8*>(slot))); }));
    CHECK_EQ(*slot & (pte_p | pte_w), pte_p | pte_w);
    // cmpxchg, hit and miss.
    u64 current = *slot;
    u64 rax = current;
    bool equal = false;
    CHECK(done([&] { asm volatile("lock cmpxchg %3, %1" : "+a"(rax), "+m"(*slot), "=@ccz"(equal) : "r"(a)); }));
    CHECK(equal);
    CHECK_EQ(through(), 0xaaaa);
    rax = 0x12345;
    CHECK(done([&] { asm volatile("lock cmpxchg %3, %1" : "+a"(rax), "+m"(*slot), "=@ccz"(equal) : "r"(b)); }));
    CHECK(!equal);
    CHECK_EQ(rax, *slot);
    CHECK_EQ(through(), 0xaaaa);
    // Bit operations; the carry is the old bit.
    bool carry = false;
    CHECK(done([&] { asm volatile("lock btrq $5, %0" : "+m"(*slot), "=@ccc"(carry)); })); // accessed
    CHECK(carry);
    CHECK_EQ(*slot & pte_a, 0);
    CHECK(done([&] { asm volatile("lock btsq $5, %0" : "+m"(*slot), "=@ccc"(carry)); }));
    CHECK(!carry);
    CHECK_EQ(*slot & pte_a, pte_a);
    CHECK(done([&] { asm volatile("lock btcq $1, %0" : "+m"(*slot), "=@ccc"(carry)); }));
    CHECK_EQ(*slot & pte_w, 0);
    u64 bit = 1;
    CHECK(done([&] { asm volatile("lock btsq %2, %0" : "+m"(*slot), "=@ccc"(carry) : "r"(bit)); }));
    CHECK_EQ(*slot & pte_w, pte_w);
    // Arithmetic.
    CHECK(done([] { asm volatile("andq $~2, %0" : "+m"(*slot)); }));
    CHECK_EQ(*slot & pte_w, 0);
    CHECK(done([] { asm volatile("orl $2, %0" : "+m"(*reinterpret_cast<volatile u32*>(slot))); }));
    CHECK_EQ(*slot & pte_w, pte_w);
    CHECK(done([] { asm volatile("xorw $2, %0" : "+m"(*reinterpret_cast<volatile u16*>(slot))); }));
    CHECK_EQ(*slot & pte_w, 0);
    // Clearing, with an immediate and from a register.
    CHECK(done([] { asm volatile("movq $0, %0" : "=m"(*slot)); }));
    CHECK_EQ(*slot, 0);
    mmuext(MMUEXT_INVLPG_LOCAL, va);
    CHECK(catch_trap([] { (void)*reinterpret_cast<volatile u64*>(va); }).is(vector_pf));
    CHECK(done([=] { asm volatile("mov %1, %0" : "=m"(*slot) : "r"(a)); }));
    old = 0;
    CHECK(done([&] { asm volatile("xchg %0, %1" : "+r"(old), "+m"(*slot)); }));
    CHECK_EQ(old & pte_frame_mask, a & pte_frame_mask);
    CHECK_EQ(*slot, 0);
    // Half an entry: only while it is not present.
    CHECK(done([=] { asm volatile("movl %1, %0" : "=m"(*reinterpret_cast<volatile u32*>(slot)) : "r"(0x12344)); }));
    CHECK_EQ(*slot, 0x12344);
    CHECK(done([=] { asm volatile("movq $0, %0" : "=m"(*slot)); }));
    // Flags and all other registers survive.
    u64 flags = 0;
    CHECK(done([&] { asm volatile("stc; mov %2, %1; pushf; pop %0" : "=r"(flags), "=m"(*slot) : "r"(a)); }));
    CHECK_EQ(flags & 1, 1);
    *slot = 0;
}

void check_string_writes()
{
    u64 source[2] = {entry_for(page_a, pte_rw), 0};
    void *to = const_cast<u64*>(slot), *from = source;
    if (catch_trap([] { asm volatile("rep stosq" ::"D"(slot), "c"(0), "a"(0) : "memory"); }).taken)
        CHECK(false); // writes nothing
    Trap trap = catch_trap([&] { asm volatile("movsq" : "+D"(to), "+S"(from)::"memory"); });
    if (trap.taken) { // no kernel writes its tables so: the fault may as well be the guest's
        CHECK(trap.is(vector_pf));
        CHECK_EQ(trap.frame.error, 3);
        CHECK_EQ(trap.cr2, slot);
        CHECK_EQ(*slot, 0);
        skip("string instructions do not write page tables here");
        return;
    }
    CHECK_EQ(to, slot + 1);
    CHECK_EQ(from, source + 1);
    CHECK_EQ(through(), page_a[0]);
    to = const_cast<u64*>(slot);
    u64 count = 1;
    CHECK(done([&] { asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0ul) : "memory"); }));
    CHECK_EQ(count, 0);
    CHECK_EQ(*slot, 0);
}

/// What mmu_update would refuse comes back as the page fault that it started as (or as a #GP): the entry does
/// not change.
void check_refused()
{
    u64 bad[] = {entry_for(current_l4(), pte_rw), entry_for(table_of(va, 1), pte_rw), 0x000ffffffffff000 | pte_ro};
    for (u64 value : bad) {
        Trap trap = catch_trap([=] { asm volatile("mov %1, %0" : "=m"(*slot) : "r"(value)); });
        if (!CHECK(trap.is(vector_pf)))
            print("  vector %lu error %lx\n", trap.taken ? trap.frame.vector : ~0ul, trap.frame.error);
        CHECK_EQ(trap.frame.error, 3);
        CHECK_EQ(trap.cr2, slot);
        CHECK_EQ(*slot, 0);
    }
}

void check_reflected()
{
    auto reflected = [](volatile u64* where) {
        u64 before = *where;
        Trap trap = catch_trap([=] { *where = before; });
        CHECK(trap.is(vector_pf));
        CHECK_EQ(trap.frame.error, 3);
        CHECK_EQ(trap.cr2, where);
        trap = catch_trap([=] { asm volatile("lock andb $0xfd, %0" : "+m"(*where)); });
        CHECK(trap.is(vector_pf));
        CHECK_EQ(*where, before);
    };
    reflected(table_of(va, 2) + 511); // other levels
    reflected(table_of(va, 3) + 511);
    reflected(current_l4() + 511);
    auto page = static_cast<u64*>(take_page());
    CHECK_EQ(make_ro(page), 0);
    reflected(page); // no table at all
    CHECK_EQ(make_rw(page), 0);
    reflected(reinterpret_cast<u64*>(machine_to_phys_base)); // not the guest's
}

/// A write across the end of the table, or across two entries, is no page-table write.
void check_misaligned()
{
    auto half = reinterpret_cast<volatile u64*>(number(slot) + 4);
    Trap trap = catch_trap([=] { *half = 0; });
    CHECK(trap.is(vector_pf));
    CHECK_EQ(trap.frame.error, 3);
    CHECK_EQ(*slot, 0);
}

/// The same table through another read-only alias.
void check_alias()
{
    u64 alias = take_empty_va();
    CHECK_EQ(update_va_mapping(alias, entry_for(table_of(va, 1), pte_ro)), 0);
    auto word = reinterpret_cast<volatile u64*>(alias) + index_at(va, 1);
    u64 a = entry_for(page_a, pte_rw);
    CHECK(done([=] { *word = a; }));
    CHECK_EQ(through(), page_a[0]);
    CHECK(done([=] { *word = 0; }));
    CHECK_EQ(update_va_mapping(alias, 0), 0);
}

} // namespace

void guest::test()
{
    vcpu0->evtchn_upcall_mask = 1;
    CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
    va = take_empty_va();
    slot = entry_of(va);
    page_a = static_cast<u64*>(take_page()), page_b = static_cast<u64*>(take_page());
    check_writes();
    check_string_writes();
    check_refused();
    check_reflected();
    check_misaligned();
    check_alias();
}
