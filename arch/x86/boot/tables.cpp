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

constexpr u64 piece = 0x20'0000; ///< tables are backed by frames in pieces of 2 MiB

/// Backs [va, va + bytes) with new frames. Guests read them at `guest_va`, when there is one.
void back(u64 va, u64 bytes, u64 guest_va = 0)
{
    for (u64 done = 0; done < bytes; done += piece) {
        const Mfn mfn = boot_memory::take_aligned(piece / page_size);
        if (mfn == invalid_mfn)
            panic("not enough memory for the frame table");
        map_range(va + done, mfn, piece, data_flags);
        if (guest_va)
            map_range(guest_va + done, mfn, piece, Pte::present | Pte::user | Pte::accessed | Pte::no_execute);
    }
}

} // namespace

void build_tables()
{
    const u64 frames = boot_memory::end_of_ram().raw();
    back(frame_table_base, frames * sizeof(Frame));
    back(m2p_rw_base, frames * 8, m2p_base);
    frame_table::init(reinterpret_cast<Frame*>(frame_table_base), frames);
    __builtin_memset(reinterpret_cast<void*>(m2p_rw_base), 0xff, align_up(frames * 8, piece));
}

} // namespace tenon::x86

namespace tenon::arch {

Mfn m2p_frame(u64 index)
{
    const u64 at = index * x86::piece;
    return at < frame_table::end * 8 ? x86::shared_frame(x86::m2p_rw_base + at) : invalid_mfn;
}

} // namespace tenon::arch
