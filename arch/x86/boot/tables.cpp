// Frame table and machine-to-phys table at boot.
#include "../mm/paging.hpp"
#include "boot.hpp"
#include "boot_memory.hpp"
#include <tenon/arch/machine.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_table.hpp>

namespace tenon::x86 {

namespace {

constexpr u64 large_page = 0x20'0000;

/// Backs [va, va + bytes) with new frames, 2 MiB at a time while that much is wanted.
void back(u64 va, u64 bytes, u64 flags)
{
    for (u64 size; bytes; va += size, bytes -= min(bytes, size)) {
        const Mfn large = bytes >= large_page && va % large_page == 0 ? boot_memory::take_aligned(512) : invalid_mfn;
        const Mfn mfn = large == invalid_mfn ? boot_memory::take(1) : large;
        size = large == invalid_mfn ? page_size : large_page;
        if (mfn == invalid_mfn || !map_range(va, mfn, size, flags))
            panic("not enough memory for the frame table");
    }
}

/// The guest-visible alias needs the user bit on every level below L4.
void alias_m2p(u64 bytes)
{
    constexpr u64 flags = Pte::present | Pte::user | Pte::accessed | Pte::no_execute;
    for (u64 done = 0, size; done < bytes; done += size) {
        const Mfn own = shared_frame(m2p_rw_base + done, &size);
        if (!map_range(m2p_base + done, own, size, flags))
            panic("not enough memory for the machine-to-phys table");
    }
    const Pte* l4 = own_frame<Pte>(root_table); // the boot map
    Pte* l3 = own_frame<Pte>(l4[m2p_slot].mfn());
    for (unsigned i = 0; i < entries_per_table; i++)
        if (l3[i].is_present()) {
            l3[i].raw |= Pte::user;
            Pte* l2 = own_frame<Pte>(l3[i].mfn());
            for (unsigned k = 0; k < entries_per_table; k++)
                if (l2[k].is_present())
                    l2[k].raw |= Pte::user;
        }
}

} // namespace

void build_tables()
{
    u64 frames = boot_memory::end_of_ram().raw();
    u64 m2p_bytes = align_up(frames * 8, page_size);
    back(frame_table_base, align_up(frames * sizeof(Frame), page_size), data_flags);
    back(m2p_rw_base, m2p_bytes, data_flags);
    alias_m2p(m2p_bytes);
    frame_table::init(reinterpret_cast<Frame*>(frame_table_base), frames);
    auto* m2p = reinterpret_cast<u64*>(m2p_rw_base);
    for (u64 i = 0; i < m2p_bytes / 8; i++)
        m2p[i] = ~u64{0};
}

} // namespace tenon::x86

namespace tenon::arch {

Mfn m2p_frame(u64 piece)
{
    u64 va = x86::m2p_rw_base + piece * 0x20'0000;
    return va < x86::m2p_rw_base + align_up(frame_table::end * 8, 0x20'0000) ? x86::shared_frame(va) : invalid_mfn;
}

} // namespace tenon::arch
