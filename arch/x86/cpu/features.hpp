// What this CPU can do, and what Tenon switched on.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::x86 {

struct Features {
    bool smep, smap, pcid, fsgsbase, xsave, rdtscp, has_sysenter, is_intel; ///< pcid: with INVPCID
    bool fp_pointers_stay; ///< XRSTOR and FXRSTOR may leave the x87 instruction and operand pointers of the last owner
    u32 physical_bits;
    u64 xcr0_mask;   ///< state components that Tenon switches
    u32 xsave_bytes; ///< size of an XSAVE area for xcr0_mask
};
extern Features features;

/// Reads CPUID. Boot CPU, once.
void find_features();
/// CPUID as guests see it by default. Once, when the CPU is set up.
void make_default_policy();
/// Control registers and MSRs of the CPU that runs this.
void init_cpu_features();
/// Switches SMAP off on this CPU: its ring-3 iret reads the stack with supervisor rights. Said once.
void give_up_smap();

} // namespace tenon::x86
