// The machine's memory as one sorted list of disjoint regions. Where the firmware's entries overlap, the more restrictive kind wins.
#pragma once
#include <span>
#include <tenon/addr.hpp>
#include <tenon/boot/boot_info.hpp>

namespace tenon {

/// Numbers of the public E820 interface; also the order of restrictiveness.
enum class RegionKind : u32 { ram = 1, reserved = 2, acpi = 3, nvs = 4, unusable = 5 };
const char* name_of(RegionKind kind);

struct Region {
    u64 start = 0, end = 0; ///< machine addresses, end exclusive
    RegionKind kind = RegionKind::ram;
    constexpr u64 bytes() const { return end - start; }
};

class MemoryMap {
  public:
    static constexpr unsigned capacity = 384;

    /// Loader's E820 map, else EFI's, else the two sizes of old; false when there is no RAM at all.
    bool load(const BootInfo& info);
    /// Overlays a range. Weaker kinds give way; when the list is full, RAM is lost rather than a restriction.
    void add(u64 start, u64 end, RegionKind kind);
    /// RAM shrinks to whole pages.
    void trim();

    std::span<const Region> regions() const { return {region_, count_}; }
    u64 ram_bytes() const;
    u64 end_of_ram() const;
    bool is_ram(u64 start, u64 end) const; ///< all of it
    template <class F> void for_each_ram(F&& f) const
    {
        for (const Region& r : regions())
            if (r.kind == RegionKind::ram)
                f(Mfn{(r.start + page_mask) >> page_shift}, (r.end >> page_shift) - ((r.start + page_mask) >> page_shift));
    }

  private:
    bool insert(unsigned at, Region region);
    void remove(unsigned at);
    bool split(unsigned at, u64 where);
    void merge();
    void load_e820(const BootInfo& info);
    void load_efi(const BootInfo& info);

    Region region_[capacity];
    unsigned count_ = 0;
};

} // namespace tenon
