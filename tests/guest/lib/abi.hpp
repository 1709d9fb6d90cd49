// What this is: the one place where micro-guests take the public PV ABI from, and the few numbers that
// every guest needs: selectors, address-space constants, page size.
#pragma once

#include <initializer_list>
#include <stddef.h>
#include <stdint.h>

#include <abi/arch_x86.h>
#include <abi/callback.h>
#include <abi/console.h>
#include <abi/event_channel.h>
#include <abi/grant_table.h>
#include <abi/hypercall.h>
#include <abi/memory.h>
#include <abi/mmu.h>
#include <abi/multicall.h>
#include <abi/physdev.h>
#include <abi/platform.h>
#include <abi/sched.h>
#include <abi/shared_info.h>
#include <abi/start_info.h>
#include <abi/types.h>
#include <abi/vcpu.h>
#include <abi/version.h>
#include <xen/errno.h>

inline constexpr int XEN_ERESTART = 85; ///< the public list has it only for hypervisors; control tools see it, too

namespace guest {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;

inline constexpr u64 page_size = 4096;
inline constexpr u64 page_shift = 12;

inline constexpr u64 flat_cs = 0xe033;        ///< 64-bit code, as every PV guest runs
inline constexpr u64 flat_kernel_cs = 0xe030; ///< the same, as frames from guest-kernel mode show it
inline constexpr u64 flat_cs32 = 0xe023;
inline constexpr u64 flat_ss = 0xe02b;

inline constexpr u64 hypervisor_start = 0xffff800000000000; ///< also where the machine-to-phys table is
inline constexpr u64 hypervisor_end = 0xffff880000000000;
extern "C" const char VIRT_BASE[];                               ///< the linker's
inline const u64 kernel_base = reinterpret_cast<u64>(VIRT_BASE); ///< where PFN 0 is seen

inline constexpr u64 flag_tf = 0x100, flag_if = 0x200, flag_df = 0x400, flag_nt = 0x4000, flag_ac = 0x40000;

} // namespace guest
