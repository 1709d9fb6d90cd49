// Machine memory before there is an allocator: what RAM there is, and pieces taken from it.
#pragma once
#include <span>
#include <tenon/addr.hpp>

namespace tenon {
struct BootInfo;
class MemoryMap;
namespace x86::boot_memory {

/// Learns the memory map; keeps out of the first MiB, the image and the modules.
void init(const MemoryMap& map, const BootInfo& info, MachineAddr image, u64 image_bytes);
/// `count` contiguous frames below 4 GiB for good, contents undefined; invalid_mfn when there are none.
Mfn take(u64 count);
/// The same anywhere, 2 MiB aligned.
Mfn take_aligned(u64 count);
/// Back to the frame allocator, after hand_over().
void give_back(Mfn first, u64 count);
/// All that is left goes to the frame allocator; taking ends here.
void hand_over();
bool is_open(); ///< hand_over() is still to come

struct Range {
    u64 first, end; ///< frames
};
std::span<const Range> ram(); ///< all RAM of the machine
Range largest();              ///< the largest piece that nobody took: free to use until somebody does
u64 ram_frames();
Mfn end_of_ram();
/// A frame below 640 KiB for the other CPUs' first instructions.
Mfn trampoline_frame();

} // namespace x86::boot_memory
} // namespace tenon
