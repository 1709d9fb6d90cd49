// The machine's memory as one sorted list of disjoint regions, as the control domain may see it. Where the firmware's entries overlap, the
// more restrictive type wins.
#pragma once
#include <abi/memory.h>
#include <span>
#include <tenon/boot/boot_info.hpp>

namespace tenon::memory_map {

/// False when there is no RAM at all. RAM shrinks to whole pages; when the list is full, what lies above is lost. Boot.
bool load(const BootInfo& info);
std::span<const xen_e820_entry> regions();

} // namespace tenon::memory_map
