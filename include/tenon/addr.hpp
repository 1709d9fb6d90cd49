// Every kind of address and frame number. Mixing them does not compile.
#pragma once
#include <tenon/ids.hpp>

namespace tenon {

using Mfn = Strong<struct MfnTag>;                 ///< machine frame number
using MachineAddr = Strong<struct MachineAddrTag>; ///< machine byte address
using GuestVa = Strong<struct GuestVaTag>;         ///< virtual address that a guest gave; never dereferenced
using HostVa = Strong<struct HostVaTag>;           ///< virtual address of the hypervisor

inline constexpr Mfn invalid_mfn{~u64{0}};

constexpr MachineAddr base_of(Mfn f) { return MachineAddr{f.raw() << page_shift}; }
constexpr Mfn frame_of(MachineAddr a) { return Mfn{a.raw() >> page_shift}; }
constexpr u64 offset_in_page(MachineAddr a) { return a.raw() & page_mask; }
constexpr u64 offset_in_page(GuestVa a) { return a.raw() & page_mask; }

} // namespace tenon
