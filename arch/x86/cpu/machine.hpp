// Facts about the machine that are fixed at boot.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon {
struct BootInfo;
class MemoryMap;
namespace x86 {

/// Remembers what the boot loader and the firmware said, for dom0 and the tools.
void remember_machine(const MemoryMap& map, const BootInfo& info);
/// Bits of the highest machine address.
u32 max_machine_width();

} // namespace x86
} // namespace tenon
