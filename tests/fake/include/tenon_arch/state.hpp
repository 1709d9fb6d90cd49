// The host's idea of the CPU-specific part of a vCPU and of a domain: only what common code may know.
#pragma once
#include <tenon/addr.hpp>
#include <tenon/lib/types.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

struct ArchVcpu {
    bool in_kernel = true;
    u64 switches_in = 0; ///< how often the fake CPU switched to it
    bool nmi_pending = false;
};

struct ArchDomain {
    SpinLock<Rank::mm> mm_lock;
    bool has_hardware = false;
    u32 page_tables = 0;
    u64 reserved_pte_bits = 0;
    u64 relinquish_stage = 0;
    u32 tsc_mode = 0, tsc_khz = 0, tsc_incarnation = 0;
};

} // namespace tenon
