// What a PV guest sees of CPUID: the host's leaves through a mask.
#pragma once
#include <tenon/arch/cpuid.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

/// One leaf as a policy shows it; unknown leaves are zero.
CpuidResult policy_leaf(arch::PolicyIndex which, u32 leaf, u32 subleaf);

} // namespace tenon::x86
