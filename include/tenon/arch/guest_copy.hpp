// Copies between the hypervisor and the current guest's address space, with fault fix-up. Common code uses guest/handle.hpp.
#pragma once
#include <tenon/addr.hpp>

namespace tenon::arch {

/// True when [va, va+bytes) is canonical and outside the hypervisor's range.
bool guest_range_ok(GuestVa va, u64 bytes);
/// Each returns the number of bytes NOT copied (0: all). The range must have passed guest_range_ok.
u64 copy_from_guest(void* to, GuestVa from, u64 bytes);
u64 copy_to_guest(GuestVa to, const void* from, u64 bytes);

} // namespace tenon::arch
