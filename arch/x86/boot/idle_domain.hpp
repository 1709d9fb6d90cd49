// The idle vCPUs: one a CPU, of a domain that owns no memory and never sees a guest.
#pragma once
#include <tenon/ids.hpp>

namespace tenon::x86 {

/// The idle domain and the boot CPU's idle vCPU.
void create_idle_domain();
/// The idle vCPU of another CPU. Needs its PerCpu.
bool create_idle_vcpu(CpuId cpu);

} // namespace tenon::x86
