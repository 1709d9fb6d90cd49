// TLB flushes that guests ask for.
#pragma once
#include <tenon/hypercall/call.hpp>

namespace tenon::x86::pv {

/// Loads a vCPU's tables, those of its kernel mode, and remembers it; everything older leaves this CPU's TLB.
void load_tables(Vcpu& vcpu);
/// CPUs that hold the state of one of the domain's vCPUs.
CpuSet cpus_of(Domain& domain);

enum class FlushWhat : u8 { all, page };

/// Flushes on this CPU only.
void flush_local(FlushWhat what, GuestVa va);
/// Flushes wherever one of the vCPUs of the mask is loaded (null mask: all of the domain's).
Status flush_vcpus(Vcpu& caller, GuestPtr<u64> mask, FlushWhat what, GuestVa va);

} // namespace tenon::x86::pv
