// The machine's memory as one sorted list of disjoint regions. Where the firmware's entries overlap, the more restrictive kind wins.
#pragma once
#include <span>
#include <tenon/addr.hpp>
#include <tenon/boot/boot_info.hpp>

namespace tenon {

/// Numbers of the public E820 interface; also the order of restrictiveness.
enum class RegionKind : u32 { none = 0, ram = 1, reserved = 2, acpi = 3, nvs = 4, unusable = 5 };

struct Region {
    u64 start = 0, end = 0; ///< machine addresses, end exclusive
    RegionKind kind = RegionKind::none;
    constexpr u64 bytes() const { return end - start; }
};

class MemoryMap {
public:
    static constexpr unsigned capacity = 384;

    /// False when there is no RAM at all. RAM shrinks to whole pages; when the list is full, what lies above is lost.
    bool load(const BootInfo& info);
    std::span<const Region> regions() const { return {region_, count_}; }

private:
    Region region_[capacity];
    unsigned count_ = 0;
};

} // namespace tenon
