// TLB flushes that guests ask for.
#pragma once
#include <tenon/hypercall/call.hpp>

namespace tenon::x86::pv {

enum class FlushWhat : u8 { all, page };

/// Flushes on this CPU only.
void flush_local(FlushWhat what, GuestVa va);
/// Flushes wherever one of the vCPUs of the mask is loaded (null mask: all of the domain's).
Status flush_vcpus(Vcpu& caller, GuestPtr<u64> mask, FlushWhat what, GuestVa va);
/// By the flags of update_va_mapping.
Status flush_flagged(Vcpu& caller, u64 flags, FlushWhat what, GuestVa va);

} // namespace tenon::x86::pv
