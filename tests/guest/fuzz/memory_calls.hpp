// What this is: hypercalls that are nearly right, about memory: page tables, reservations, grants. Each builds its structure in the
// caller's argument page; then one word of it may be spoilt, or the pointer itself. calls.hpp has the others.
#pragma once

#include "../lib/trap.hpp"
#include "values.hpp"

namespace guest::fuzz {

class MemoryCalls {
public:
    /// `room`: two pages; the second one is not mapped.
    MemoryCalls(Dice& dice, u64* room, u32 vcpu) : dice(dice), room(room), vcpu(vcpu) {}

protected:
    struct Entry {
        u64 nr, a[5];
    };
    Dice& dice;
    u64* room;
    u32 vcpu;
    bool inside_multicall = false;
    Entry recorded{};

    /// Makes the call, or notes it for a multicall.
    void call(u64 nr, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0)
    {
        recorded = {nr, {a, b, c, d, e}};
        if (!inside_multicall)
            hypercall(static_cast<long>(nr), a, b, c, d, e);
    }

    template <class T> T* structure(u32 count = 1)
    {
        u64 bytes = sizeof(T) * count;
        char* at = reinterpret_cast<char*>(room) + 1024;
        if (dice.one_in(24) && bytes <= 2048)
            at = reinterpret_cast<char*>(room) + page_size - ((bytes + 7) & ~7ul) + (dice.one_in(2) ? 8 : 0);
        auto result = reinterpret_cast<T*>(at);
        room_left = number(room) + page_size - number(at);
        memset(at, 0, bytes < room_left ? bytes : room_left);
        return result;
    }
    u64 room_left = 0;
    /// The pointer to pass: with one word spoilt, now and then; or another pointer.
    u64 pass(void* pointer, u64 bytes)
    {
        if (dice.one_in(6)) {
            u64 at = dice.below((bytes + 3) / 4) * 4;
            if (at + 8 <= room_left) {
                auto word = reinterpret_cast<char*>(pointer) + at;
                if (dice.one_in(2))
                    *reinterpret_cast<u32*>(word) = static_cast<u32>(dice.value());
                else
                    *reinterpret_cast<u64*>(word) = dice.value();
            }
        }
        return dice.one_in(24) ? dice.address() : number(pointer);
    }
    /// Structures at the end of their page may be cut short there: fill only what is mapped.
    bool whole(u64 bytes) const { return bytes <= room_left; }

    void mmu_updates()
    {
        u32 count = 1 + static_cast<u32>(dice.below(6));
        auto list = structure<mmu_update>(count);
        if (whole(sizeof *list * count))
            for (u32 i = 0; i < count; i++)
                list[i] = {dice.entry_place() | dice.of(0, 0, 0, 0, 2, 1, 3), dice.one_in(4) ? 0 : dice.entry()};
        u64 domain = dice.one_in(6) ? dice.domain() | (dice.one_in(2) ? dice.value() << 16 : 0) : DOMID_SELF;
        u64 n = dice.one_in(40) ? dice.value() : count;
        call(__HYPERVISOR_mmu_update, pass(list, sizeof *list * count), n, dice.one_in(4) ? dice.address() : 0, domain);
    }

    void mmuext_ops()
    {
        u32 count = 1 + static_cast<u32>(dice.below(3));
        auto list = structure<mmuext_op>(count);
        if (whole(sizeof *list * count))
            for (u32 i = 0; i < count; i++) {
                u64 command = dice.one_in(3) ? dice.below(22) : dice.of(0, 0, 1, 2, 3, 4, 4, 4, 16, 17, 5, 15, 13);
                bool is_linear = command == MMUEXT_INVLPG_LOCAL || command == MMUEXT_INVLPG_MULTI || command == MMUEXT_INVLPG_ALL ||
                                 command == MMUEXT_SET_LDT;
                list[i].cmd = static_cast<u32>(command);
                list[i].arg1.mfn = is_linear ? dice.address() : dice.frame();
                if (command == MMUEXT_SET_LDT)
                    list[i].arg2.nr_ents = static_cast<u32>(dice.of(0, 1, 512, 513, 8191, 8192, 8193, 65536));
                else
                    list[i].arg2.src_mfn = command == MMUEXT_COPY_PAGE ? dice.frame() : dice.address();
                if (command == MMUEXT_NEW_BASEPTR && dice.one_in(2))
                    list[i].arg1.mfn = phys_to_machine[Replica::l4];
            }
        call(__HYPERVISOR_mmuext_op, pass(list, sizeof *list * count), dice.one_in(40) ? dice.value() : count,
             dice.one_in(4) ? dice.address() : 0, dice.one_in(8) ? dice.domain() : DOMID_SELF);
    }

    void va_mapping()
    {
        u64 va = dice.one_in(12) ? dice.address() : dice.one_in(2) ? dice.window() : number(dice.page());
        u64 flags = dice.one_in(3) ? dice.address() : dice.below(8);
        u64 entry = dice.one_in(4) && va >= number(play) && va < number(play) + play_pages * page_size
                        ? phys_to_machine[(va - kernel_base) >> page_shift] << page_shift | dice.of(pte_rw, pte_ro, pte_ro)
                        : dice.entry();
        if (dice.one_in(12))
            return call(__HYPERVISOR_update_va_mapping_otherdomain, va, entry, flags, dice.domain());
        call(__HYPERVISOR_update_va_mapping, va, entry, flags);
    }

    void reservation(xen_memory_reservation& r, u64* list, u32 command)
    {
        u32 order = static_cast<u32>(dice.one_in(6) ? dice.of(1, 2, 3, 9, 10, 18, 31, 32, 52, 63, 64, 0xffffffff) : 0);
        u32 count = 1 + static_cast<u32>(dice.below(8));
        for (u32 i = 0; i < count; i++)
            list[i] = command == XENMEM_decrease_reservation ? dice.frame() : dice.one_in(3) ? dice.value() : pfn_of(dice.page());
        r.extent_start = dice.one_in(16) ? dice.address() : number(list);
        r.nr_extents = dice.one_in(20) ? dice.value() : count;
        r.extent_order = order;
        r.mem_flags = static_cast<u32>(dice.one_in(4) ? dice.of(12, 20, 24, 32, 33, 64, 255, 1u << 16, 1u << 17) : 0);
        r.domid = static_cast<u16>(dice.one_in(8) ? dice.domain() : DOMID_SELF);
    }

    void memory()
    {
        u32 command = static_cast<u32>(dice.one_in(3) ? dice.below(30) : dice.of(0, 1, 1, 1, 6, 6, 6, 11, 11, 28));
        u64* list = room;
        if (command == XENMEM_exchange) {
            auto x = structure<xen_memory_exchange>();
            if (whole(sizeof *x)) {
                reservation(x->in, list, XENMEM_decrease_reservation);
                reservation(x->out, list + 16, XENMEM_populate_physmap);
                if (!dice.one_in(4))
                    x->in.extent_order = x->out.extent_order = 0, x->in.nr_extents = x->out.nr_extents = 2,
                    x->in.domid = x->out.domid = DOMID_SELF;
                x->nr_exchanged = dice.one_in(8) ? dice.value() : 0;
                if (dice.one_in(6))
                    x->out.extent_start = dice.hypervisor_address();
            }
            return call(__HYPERVISOR_memory_op, command, pass(x, sizeof *x));
        }
        if (command == XENMEM_acquire_resource) {
            auto x = structure<xen_mem_acquire_resource>();
            if (whole(sizeof *x))
                *x = {static_cast<u16>(dice.domain()),
                      static_cast<u16>(dice.below(3)),
                      static_cast<u32>(dice.below(2)),
                      static_cast<u32>(dice.below(4)),
                      0,
                      dice.one_in(3) ? dice.value() : 0,
                      dice.one_in(4) ? dice.address() : number(list)};
            return call(__HYPERVISOR_memory_op, command, pass(x, sizeof *x));
        }
        if (command <= 1 || command == XENMEM_populate_physmap || command == XENMEM_claim_pages) {
            auto x = structure<xen_memory_reservation>();
            if (whole(sizeof *x))
                reservation(*x, list, command);
            return call(__HYPERVISOR_memory_op, command | (dice.one_in(16) ? dice.value() << 6 : 0), pass(x, sizeof *x));
        }
        auto words = structure<u64>(6);
        if (whole(48))
            for (u32 i = 0; i < 6; i++)
                words[i] = dice.one_in(2) ? dice.below(4) : dice.value();
        call(__HYPERVISOR_memory_op, command, pass(words, 48));
    }

    void grants()
    {
        auto table = reinterpret_cast<volatile grant_entry_v1*>(windows[0]); // where setup() put it, while it lasts
        u64 which = dice.below(16);
        if (dice.one_in(3)) {
            table[which].domid = static_cast<u16>(dice.domain());
            table[which].frame = static_cast<u32>(dice.frame());
            table[which].flags = static_cast<u16>(dice.one_in(4) ? dice.roll() : dice.of(0, 1, 1, 1, 5, 2));
        }
        u32 count = 1 + static_cast<u32>(dice.below(3));
        u64 n = dice.one_in(30) ? dice.value() : count;
        u32 command = static_cast<u32>(dice.one_in(4) ? dice.below(13) : dice.of(0, 0, 0, 1, 1, 5, 5));
        auto flags = [&] { return static_cast<u32>(dice.one_in(6) ? dice.roll() : dice.of(2, 2, 6, 18, 22, 1, 3, 10, 0)); };
        auto host = [&] { return dice.one_in(2) ? dice.window() : dice.one_in(2) ? dice.entry_place() : dice.address(); };
        auto ref = [&] { return static_cast<u32>(dice.one_in(8) ? dice.value() : dice.below(16)); };
        u64 bytes = 0;
        void* list = nullptr;
        if (command == GNTTABOP_map_grant_ref) {
            auto x = structure<gnttab_map_grant_ref>(count);
            list = x, bytes = sizeof *x * count;
            if (whole(bytes))
                for (u32 i = 0; i < count; i++)
                    x[i] = {host(), flags(), ref(), static_cast<u16>(dice.domain()), 0, 0, 0};
        } else if (command == GNTTABOP_unmap_grant_ref) {
            auto x = structure<gnttab_unmap_grant_ref>(count);
            list = x, bytes = sizeof *x * count;
            if (whole(bytes))
                for (u32 i = 0; i < count; i++)
                    x[i] = {host(), dice.one_in(3) ? dice.value() : 0, static_cast<u32>(dice.one_in(8) ? dice.value() : dice.below(12)), 0};
        } else if (command == GNTTABOP_copy) {
            auto x = structure<gnttab_copy>(count);
            list = x, bytes = sizeof *x * count;
            auto side = [&](gnttab_copy_ptr& p, bool by_ref) {
                p.u.gmfn = by_ref ? ref() : dice.frame();
                p.domid = static_cast<u16>(dice.domain());
                p.offset = static_cast<u16>(dice.one_in(3) ? dice.value() : dice.below(page_size));
            };
            if (whole(bytes))
                for (u32 i = 0; i < count; i++) {
                    x[i].flags = static_cast<u16>(dice.one_in(8) ? dice.roll() : dice.below(4));
                    side(x[i].source, x[i].flags & 1), side(x[i].dest, x[i].flags & 2);
                    x[i].len = static_cast<u16>(dice.one_in(3) ? dice.value() : dice.below(page_size));
                }
        } else {
            auto x = structure<u64>(8);
            list = x, bytes = 32;
            if (whole(64)) {
                for (u32 i = 0; i < 4; i++)
                    x[i] = dice.one_in(2) ? dice.below(3) : dice.value();
                if (command == GNTTABOP_setup_table)
                    *reinterpret_cast<gnttab_setup_table*>(x) = {static_cast<u16>(dice.domain()), static_cast<u32>(dice.below(70)), 0,
                                                                 number(room)};
            }
        }
        call(__HYPERVISOR_grant_table_op, command, pass(list, bytes), n);
    }
};

} // namespace guest::fuzz
