// What this is: two vCPUs that work against each other: one makes pages into tables while the other tries to
// write to them, through mappings made in between and through translations that its TLB still has.
//
// Run with: smp=2 hypervisor="dom0_max_vcpus=2" limit=90
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

enum Role : u32 { idle, map_and_write, hammer, pin_too };

volatile u32 role = idle, seen_role = idle;
volatile u64 other_writes, other_faults, other_maps, other_pins;
u64 window_va; ///< vCPU 1's window on it
void* page;

extern "C" char race_write[];

/// One write of an even number (a not-present entry) that may fault.
[[gnu::noinline]] void try_write(u64 va, u8 value)
{
    asm volatile(".globl race_write; race_write: movb %b0, (%1)" ::"a"(value & 0xfe), "D"(va) : "memory");
}

bool on_page_fault(Frame& frame)
{
    if (frame.rip != number(race_write))
        return false;
    frame.rip += 2;
    other_faults = other_faults + 1;
    return true;
}

void other_vcpu(void*)
{
    for (u64 n = 0;; n++) {
        seen_role = role;
        switch (role) {
        case map_and_write:
            if (update_va_mapping(window_va, mfn_of(page) << page_shift | pte_rw, UVMF_INVLPG) == 0) {
                other_maps = other_maps + 1;
                for (int i = 0; i < 20; i++)
                    try_write(window_va + 40, static_cast<u8>(n + i));
                update_va_mapping(window_va, 0, UVMF_INVLPG);
            }
            break;
        case hammer:
            try_write(window_va + 40, static_cast<u8>(n));
            other_writes = other_writes + 1;
            break;
        case pin_too:
            if (mmuext(MMUEXT_PIN_L1_TABLE + n % 4, mfn_of(page)) == 0) {
                other_pins = other_pins + 1;
                mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page));
            }
            break;
        default: pause();
        }
    }
}

void assign(Role next)
{
    role = next;
    if (!wait_until([=] { return seen_role == next; }))
        give_up("vCPU 1 does not answer");
}

bool holds_still()
{
    auto words = static_cast<volatile u64*>(page);
    u64 first = words[5];
    for (int i = 0; i < 500; i++)
        if (words[5] != first)
            return false;
    return true;
}

/// While a page is pinned nobody maps it writable; while it is mapped writable nobody pins it.
void check_pin_against_map()
{
    CHECK_EQ(make_ro(page), 0);
    assign(map_and_write);
    u32 pinned = 0, changed = 0;
    for (u64 end = now() + 3000_ms; pinned < 200 && now() < end;) {
        if (mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page)))
            continue;
        pinned++;
        changed += !holds_still();
        if (mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page)))
            give_up("cannot unpin");
    }
    assign(idle);
    print("pinned %u times, mapped %lu times\n", pinned, other_maps);
    CHECK(pinned > 0);
    CHECK(other_maps > 0);
    CHECK_EQ(changed, 0);
    CHECK_EQ(update_va_mapping(window_va, 0, UVMF_INVLPG | UVMF_ALL), 0);
}

/// A mapping goes away without a flush, and the page becomes a table: a translation left in the other TLB
/// must not write to it.
void check_stale_translations()
{
    u32 changed = 0;
    u64 slot = entry_maddr(window_va);
    for (int round = 0; round < 30; round++) {
        if (update_va_mapping(window_va, mfn_of(page) << page_shift | pte_rw, UVMF_NONE))
            give_up("cannot map");
        assign(hammer);
        u64 before = other_writes;
        wait_until([=] { return other_writes > before + 10; });
        mmu_update_one(slot, 0); // no flush asked for
        if (mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page)))
            give_up("cannot pin");
        changed += !holds_still();
        mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page));
        assign(idle);
    }
    CHECK_EQ(changed, 0);
    CHECK(other_faults > 0);
}

/// The page leaves the domain and may come back: translations from before are no way to it. (The hammer
/// writes even numbers.)
void check_given_back()
{
    for (int round = 0; round < 10; round++) {
        auto victim = static_cast<u64*>(take_page());
        u64 va = number(victim), mfn = mfn_of(victim), pfn = pfn_of(victim);
        if (update_va_mapping(window_va, mfn << page_shift | pte_rw, UVMF_NONE))
            give_up("cannot map");
        assign(hammer);
        u64 before = other_writes;
        wait_until([=] { return other_writes > before + 10; });
        mmu_update_one(entry_maddr(window_va), 0);
        update_va_mapping(va, 0, UVMF_INVLPG);
        xen_memory_reservation arg{number(&mfn), 1, 0, 0, DOMID_SELF};
        CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 1);
        for (int i = 0; i < 5000; i++)
            pause(); // a hypervisor may put the flush off until the frame is used again
        u64 frame = pfn;
        arg = {number(&frame), 1, 0, 0, DOMID_SELF};
        CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), 1);
        phys_to_machine[pfn] = frame;
        CHECK_EQ(make_rw(victim), 0);
        auto byte = reinterpret_cast<volatile u8*>(victim) + 40;
        if (on_tenon())
            CHECK_EQ(*byte, 0); // Xen leaves it to a living domain to wipe what it gives back
        *byte = 1;
        for (int i = 0; i < 500; i++)
            pause();
        CHECK_EQ(*byte, 1);
        assign(idle);
    }
}

void check_pin_against_pin()
{
    assign(pin_too);
    u32 pinned = 0;
    u32 round = 0;
    // Each pin of another level waits for the other CPU to flush, which takes long where the host has no time for that CPU.
    auto go_on = [&, start = now()] {
        const bool enough = pinned >= 200 && other_pins >= 100, some = pinned > 0 && other_pins > 0;
        return !enough && now() - start < (some ? 3000_ms : 30000_ms);
    };
    for (; go_on(); round++)
        if (mmuext(MMUEXT_PIN_L1_TABLE + round % 4, mfn_of(page)) == 0) {
            pinned++;
            mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page));
        }
    assign(idle);
    print("pinned %u and %lu times\n", pinned, other_pins);
    CHECK(pinned > 0 && other_pins > 0);
    mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page));
    CHECK_EQ(make_rw(page), 0); // all counts are back at nothing
    *static_cast<volatile u64*>(page) = 1;
}

} // namespace

void guest::test()
{
    mask_upcalls();
    page = take_page();
    window_va = take_empty_va();
    trap_hooks[vector_pf] = on_page_fault;
    shared->vcpu_info[1].evtchn_upcall_mask = 1;
    REQUIRE_EQ(start_vcpu(1, other_vcpu, nullptr), 0);
    check_pin_against_map();
    check_stale_translations();
    check_given_back();
    check_pin_against_pin();
    CHECK_EQ(vcpu_op(VCPUOP_down, 1), 0);
}
