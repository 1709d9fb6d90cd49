// Where everything lies in the hypervisor's part of every address space: L4 slots 256-271. See docs/memory.md.
#pragma once
#include <tenon/addr.hpp>

namespace tenon::x86 {

constexpr bool is_canonical(u64 address) { return s64(address << 16) >> 16 == s64(address); }
constexpr u64 slot_base(unsigned slot) { return 0xffff'0000'0000'0000 | u64(slot) << 39; }
inline constexpr unsigned first_slot = 256, last_slot = 271, slots = 16;
inline constexpr unsigned m2p_slot = 256, image_slot = 257, frames_slot = 258, heap_slot = 259, domain_slot = 260, own_slot = 261;
inline constexpr u64 hypervisor_start = slot_base(256), hypervisor_end = slot_base(272);

inline constexpr u64 m2p_base = slot_base(m2p_slot); ///< read-only for guests
inline constexpr u64 image_base = slot_base(image_slot);
inline constexpr u64 percpu_base = image_base + 0x4000'0000; ///< within 2 GiB of the image: entry code is RIP-relative
inline constexpr u64 percpu_stride = 0x2'0000;               ///< 128 KiB a CPU
inline constexpr u64 device_base = image_base + 0x5000'0000; ///< registers of devices that Tenon drives, 256 MiB
inline constexpr u64 device_size = 0x1000'0000;
inline constexpr u64 frame_table_base = slot_base(frames_slot);
inline constexpr u64 m2p_rw_base = frame_table_base + (u64{1} << 38); ///< the hypervisor's own view of M2P
inline constexpr u64 heap_base = slot_base(heap_slot);                ///< the heap's frames: base + mfn * 4 KiB
inline constexpr u64 own_base = slot_base(own_slot);                  ///< the running domain's frames: base + mfn * 4 KiB

/// The per-domain slot: for each vCPU 2 MiB (one L1 table) that are there in both of the guest's modes, for the CPU's own accesses on the
/// way in and out, and 1 GiB further up 2 MiB that only the tables of its kernel mode have.
inline constexpr u64 domain_base = slot_base(domain_slot);
inline constexpr u64 vcpu_area_size = 0x20'0000, private_distance = 0x4000'0000;
inline constexpr unsigned area_gdt = 0, area_ldt = 16, area_stack = 36; ///< page index inside the area
inline constexpr unsigned private_fpu = 0, private_state = 1, private_windows = 16, private_table = 2, window_count = 16;
inline constexpr unsigned stack_pages = 4;
inline constexpr u64 stack_size = stack_pages * page_size;
static_assert(area_stack % stack_pages == 0);
constexpr u64 vcpu_area(u32 vcpu) { return domain_base + vcpu * vcpu_area_size; }
constexpr u64 private_page(u32 vcpu, unsigned page) { return vcpu_area(vcpu) + private_distance + page * page_size; }
constexpr u64 vcpu_stack_top(u32 vcpu) { return vcpu_area(vcpu) + (area_stack + stack_pages) * page_size; }

/// The domain whose tables are loaded: a field of StackInfo, at the top of every stack.
inline constexpr u64 domain_below_top = 16;
inline u16 running_domain()
{
    u64 sp;
    asm("mov %%rsp, %0" : "=r"(sp));
    return *reinterpret_cast<const u16*>((sp | (stack_size - 1)) + 1 - domain_below_top);
}

/// Behind FrameView only (mm/frame_view.cpp).
void* open_window(Mfn mfn);
void close_window(const void* at);
inline void close_frame(const void* at)
{
    if (u64(at) < own_base) [[unlikely]]
        close_window(at);
}
/// A frame that the running domain is known to own, and keeps. At boot, any frame.
template <class T = u8> T* own_frame(Mfn mfn) { return reinterpret_cast<T*>(own_base + (mfn.raw() << page_shift)); }

/// Reserves addresses in the device window and maps [addr, addr+bytes) uncached (or write-combining).
enum class DeviceMemory : u8 { uncached, write_combining, write_back };
void* map_device(MachineAddr address, u64 bytes, DeviceMemory kind = DeviceMemory::uncached);
/// Takes it out of all address spaces; the addresses are not used again. Old translations go with the next flush.
void unmap_device(void* at, u64 bytes);

} // namespace tenon::x86
