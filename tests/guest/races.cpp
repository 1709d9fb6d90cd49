// What this is: two vCPUs that work against each other: one makes pages into tables while the other tries to
// write to them, through mappings made in between and through translations that its TLB still has. And both use one grant.
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

enum Role : u32 { idle, map_and_write, hammer, pin_too, use_grant_too };

volatile u32 role = idle, seen_role = idle;
volatile u64 other_writes, other_faults, other_maps, other_pins, other_uses, failed_uses;
u64 other_grant_va;
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
    __atomic_fetch_add(&other_faults, 1, __ATOMIC_RELAXED);
    return true;
}

constexpr u32 granted = 8;

/// Maps the grant, writes, unmaps it; the write behind that faults.
void use_grant(u64 va)
{
    gnttab_map_grant_ref map{va, GNTMAP_host_map, granted, 0, 1, 0, 0};
    bool good = grant_op(GNTTABOP_map_grant_ref, &map, 1) == 0 && map.status == GNTST_okay;
    try_write(va + 40, 2);
    gnttab_unmap_grant_ref unmap{va, 0, map.handle, 1};
    good = good && grant_op(GNTTABOP_unmap_grant_ref, &unmap, 1) == 0 && unmap.status == GNTST_okay;
    try_write(va + 40, 4);
    if (!good)
        __atomic_fetch_add(&failed_uses, 1, __ATOMIC_RELAXED);
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
        case use_grant_too:
            use_grant(other_grant_va);
            other_uses = other_uses + 1;
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

/// Two use one grant: its marks, its references and the handles come out even, and no write goes through an unmapped address.
void check_grants()
{
    u64 frame = 0;
    gnttab_setup_table setup{DOMID_SELF, 1, 0, number(&frame)};
    REQUIRE_EQ(grant_op(GNTTABOP_setup_table, &setup, 1), 0);
    u64 table_va = take_empty_va(), va = take_empty_va();
    REQUIRE_EQ(update_va_mapping(table_va, frame << page_shift | pte_rw), 0);
    auto entry = reinterpret_cast<volatile grant_entry_v1*>(table_va) + granted;
    memset(page, 0, page_size);
    entry->frame = static_cast<u32>(mfn_of(page));
    entry->domid = 0;
    entry->flags = GTF_permit_access;
    u64 before = other_faults, uses = 0;
    assign(use_grant_too);
    for (u64 end = now() + 3000_ms; now() < end && (uses < 2000 || other_uses < 200); uses++)
        use_grant(va);
    assign(idle);
    print("grant used %lu and %lu times\n", uses, other_uses);
    CHECK(other_uses > 0);
    CHECK_EQ(failed_uses, 0);
    CHECK_EQ(other_faults - before, uses + other_uses);
    CHECK_EQ(entry->flags, GTF_permit_access);
    entry->flags = 0;
    // Nobody holds the page any more: it can be a table.
    CHECK_EQ(make_ro(page), 0);
    CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page)), 0);
    CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page)), 0);
    CHECK_EQ(make_rw(page), 0);
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
    other_grant_va = take_empty_va();
    check_grants();
    CHECK_EQ(vcpu_op(VCPUOP_down, 1), 0);
}
