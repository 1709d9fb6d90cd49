// What this is: seeded numbers, and what they choose from: addresses, frames, entries, domains, ports that are right, nearly right, or
// somebody else's.
#pragma once

#include "../lib/check.hpp"
#include "../lib/hypercall.hpp"
#include "../lib/paging.hpp"
#include "../lib/replica.hpp"
#include "../lib/runtime.hpp"
#include "../lib/smp.hpp"

namespace guest::fuzz {

constexpr u32 play_pages = 40, window_count = 12, vcpus_max = 4;

/// What the parent tells the child, and hears from it (see words_of_parent).
enum Word : u32 {
    seed,
    vcpus,
    sibling,
    parents_frame,
    siblings_frame,
    actions_wanted,
    flavour,
    all_done,
    progress,
    last = progress + vcpus_max
};

inline char* play;                ///< pages whose use changes all the time
inline u64 windows[window_count]; ///< addresses whose entries do
inline u64 grant_frame;
inline u64 other_frames[8];

class Dice {
public:
    u64 state;
    u64 roll()
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state * 0x2545f4914f6cdd1d;
    }
    u64 below(u64 n) { return (roll() >> 16) % n; }
    bool one_in(u64 n) { return below(n) == 0; }
    template <class... T> u64 of(T... values)
    {
        const u64 all[] = {static_cast<u64>(values)...};
        return all[below(sizeof...(T))];
    }

    char* page() { return play + below(play_pages) * page_size; }
    u64 own_pfn()
    {
        return one_in(3)   ? below(Replica::low_pages)
               : one_in(6) ? pfn_of(image_start) + below(pfn_of(image_end) - pfn_of(image_start))
                           : pfn_of(page());
    }
    u64 window() { return windows[below(window_count)]; }

    u64 frame()
    {
        switch (below(16)) {
        case 0: return Replica::low_pages > 4 ? phys_to_machine[Replica::l4 + below(Replica::low_pages - Replica::l4)] : 0;
        case 1: return boot_info->shared_info >> page_shift;
        case 2: return grant_frame;
        case 3: return phys_to_machine[own_pfn()];
        case 4: return other_frames[below(8)];
        case 5:
            return of(0, 1, 0xa0, 0xb8, 0xf0, 0x100, 0xfec00, 0xfed00, 0xfee00, 0xfffff, 0x1000000, 1ul << 34, (1ul << 40) - 1, 1ul << 40,
                      ~0ul >> 12, ~0ul, 1ul << 63);
        case 6: return below(0x20000);
        default: return phys_to_machine[pfn_of(page())];
        }
    }

    u64 hypervisor_address()
    {
        u64 slot = hypervisor_start + (below(17) << 39);
        switch (below(4)) {
        case 0: return slot;
        case 1: return slot - of(1, 4, 8, 16);
        case 2: return slot + (roll() & 0x3ffffff8);
        default: return slot + (roll() & 0x7ffffffff8);
        }
    }

    u64 address()
    {
        switch (below(14)) {
        case 0: return hypervisor_address();
        case 1:
            return of(0, 1, 8, 0xfff, 0x1000, 0x7ffffffff000, 0x7ffffffffff8, 0x800000000000, 0xffff7fffffffffff, 0xffff880000000000, ~0ul,
                      ~0ul - 7, 1ul << 63, kernel_base - 4, kernel_base, ~0ul - 0xfff);
        case 2: return window() + below(page_size);
        case 3: return window() + page_size - of(1, 2, 4, 8, 12, 16);
        case 4:
            return kernel_base + (Replica::l4 + below(8)) * page_size +
                   (one_in(16) ? below(512) * 8 : place_of(one_in(2) ? window() : number(this->page())) % page_size);
        case 5: return number(page()) + page_size - of(1, 2, 4, 7, 8, 16, 24);
        case 6: return number(page()) + below(page_size);
        case 7: return one_in(8) ? roll() : number(shared) + below(page_size);
        default: return number(page()) + below(512) * 8;
        }
    }

    u64 entry()
    {
        u64 flags = of(pte_rw, pte_rw, pte_rw, pte_ro, pte_ro, pte_p, pte_p | pte_u, pte_rw | pte_nx, 0, pte_rw & ~pte_u, pte_table,
                       pte_table | pte_g);
        if (one_in(8))
            flags ^= 1ul << below(12);
        if (one_in(16))
            flags ^= 1ul << (40 + below(24));
        return ((frame() << page_shift) & pte_frame_mask) | flags;
    }

    /// Machine address of some page-table entry, mostly one whose change is survived.
    u64 entry_place()
    {
        switch (below(12)) {
        case 0: return frame() << page_shift | (below(512) * 8);
        case 1: return frame() << page_shift | below(page_size);
        case 2: return (phys_to_machine[Replica::l4 + below(4)] << page_shift) | (below(500) * 8);
        case 3:
        case 4: return window_entry();
        default: return phys_to_machine[pfn_of(page())] << page_shift | (below(one_in(2) ? 8 : 512) * 8);
        }
    }
    u64 window_entry() { return place_of(window()); }
    static u64 place_of(u64 va) ///< by the tables that the parent built
    {
        u64 pfn = (va - kernel_base) >> page_shift;
        return phys_to_machine[Replica::l1 + pfn / 512] << page_shift | (pfn % 512 * 8);
    }

    u64 domain()
    {
        return one_in(2) ? DOMID_SELF
                         : of(0, 0, words_of_parent()[sibling], words_of_parent()[sibling], 1, 2, 3, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0x7fef,
                              0xffff, 0x8000, 77);
    }
    u64 vcpu()
    {
        return one_in(6) ? of(4, 8, 31, 32, 63, 64, 127, 128, 0x7fffffff, 0x80000000, 0xffffffff) : below(words_of_parent()[vcpus] + 1);
    }
    u64 port() { return one_in(6) ? of(0, 1023, 1024, 4095, 4096, 131071, 131072, 0x7fffffff, 0xffffffff) : below(24); }

    u64 value()
    {
        switch (below(14)) {
        case 0: return below(8);
        case 1: return below(64);
        case 2: return of(0x7f, 0x80, 0xff, 0x100, 0x1ff, 0x200, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000);
        case 3: return of(0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, ~0ul, ~0ul >> 1, 1ul << 63, 0xffffffff00000000);
        case 4: return (1ul << below(64)) - below(3);
        case 5: return roll() >> below(64);
        case 6: return frame();
        case 7: return entry();
        case 8: return phys_to_machine[pfn_of(page())] << page_shift;
        case 9: return own_pfn();
        case 10: return domain();
        default: return address();
        }
    }
};

} // namespace guest::fuzz
