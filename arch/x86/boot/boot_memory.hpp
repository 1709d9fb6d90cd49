// Machine memory before there is an allocator: what RAM there is, and pieces taken from it for good or for a while.
#pragma once
#include <tenon/addr.hpp>

namespace tenon {
struct BootInfo;
class MemoryMap;
namespace x86::boot_memory {

/// Learns the memory map; keeps out of the first MiB, the image and the modules.
void init(const MemoryMap& map, const BootInfo& info, MachineAddr image, u64 image_bytes);
/// `count` contiguous frames below 4 GiB for good, contents undefined; invalid_mfn when there are none.
Mfn take(u64 count);
/// The same anywhere, 2 MiB aligned, for frame tables.
Mfn take_aligned(u64 count);
/// A temporary piece; give_back() returns it to the frame allocator.
Mfn borrow(u64 count);
void give_back(Mfn first, u64 count);
/// All that is left goes to the frame allocator; take() and borrow() end here.
void hand_over();
bool is_open(); ///< hand_over() is still to come

u64 ram_frames(); ///< all RAM of the machine
Mfn end_of_ram();
/// A frame below 640 KiB for the other CPUs' first instructions.
Mfn trampoline_frame();
void for_each_ram_range(void (*visit)(void*, Mfn, u64), void* context);
template <class F> void for_each_ram(F&& f)
{
    for_each_ram_range([](void* c, Mfn first, u64 count) { (*static_cast<F*>(c))(first, count); }, &f);
}

} // namespace x86::boot_memory
} // namespace tenon
