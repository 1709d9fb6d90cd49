// Memory before the allocator: two short lists of frame ranges, one of all RAM, one of what is still free.
#include "boot_memory.hpp"
#include <algorithm>
#include <iterator>
#include <tenon/boot/boot_info.hpp>
#include <tenon/boot/memory_map.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon::x86::boot_memory {

namespace {

constexpr u64 four_gib = u64{1} << 20, one_mib = 256; // in frames

/// What finds no place in the list is lost: memory that nobody uses.
struct Ranges {
    Range list[128]{};
    unsigned used = 0;

    Range* begin() { return list; }
    Range* end() { return list + used; }
    void add(Range r)
    {
        if (r.first < r.end && used < std::size(list))
            list[used++] = r;
    }
    void remove(u64 first, u64 stop)
    {
        for (unsigned i = 0; i < used; i++) {
            const Range r = list[i];
            if (stop <= r.first || first >= r.end)
                continue;
            list[i] = {r.first, max(r.first, first)};
            add({min(r.end, stop), r.end});
        }
    }
};
constinit Ranges all_ram, left;
constinit u64 frames_of_ram = 0, ram_end = 0;
constinit bool handed_over = false;
constinit Mfn trampoline = invalid_mfn;

/// From the end of the highest range that has room below `limit`.
Mfn cut(u64 count, u64 limit, u64 align)
{
    u64 best = 0;
    for (const Range& r : left) {
        const u64 end = min(r.end, limit), at = end < count ? 0 : align_down(end - count, align);
        if (at >= r.first)
            best = max(best, at);
    }
    if (best == 0)
        return invalid_mfn;
    left.remove(best, best + count);
    return Mfn{best};
}

} // namespace

void init(const MemoryMap& map, const BootInfo& info, MachineAddr image, u64 image_bytes)
{
    for (const Region& r : map.regions()) {
        if (r.kind != RegionKind::ram)
            continue;
        Range frames{pages_for(r.start), r.end >> page_shift};
        all_ram.add(frames);
        frames_of_ram += frames.end - frames.first;
        ram_end = frames.end; // the map is sorted
        if (u64 end = min(frames.end, u64{0x9f}); end > 1 && frames.first < end)
            trampoline = Mfn{end - 1};
        left.add({max(frames.first, one_mib), frames.end});
    }
    left.remove(image.raw() >> page_shift, pages_for(image.raw() + image_bytes));
    for (const BootModule& m : info.modules())
        left.remove(m.start >> page_shift, pages_for(m.start + m.bytes));
}

Mfn take(u64 count) { return cut(count, four_gib, 1); }
Mfn take_aligned(u64 count) { return cut(count, ~u64{0}, 512); }

void give_back(Mfn first, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        Frame& frame = frame_at(first + i); // claimed by hand_over
        frame.owner = dom_io.raw();
        frame.refs.store(0, std::memory_order_release);
    }
    frame_allocator::add_range(first, count);
}

bool is_open() { return !handed_over; }

void hand_over()
{
    handed_over = true;
    // What is RAM and not free now is Tenon's own, or a piece that give_back() returns. The first MiB stays the machine's.
    Ranges taken = all_ram;
    taken.remove(0, one_mib);
    for (const Range& r : left)
        taken.remove(r.first, r.end);
    for (const Range& r : taken)
        frame_table::claim(Mfn{r.first}, r.end - r.first);
    for (const Range& r : left)
        frame_allocator::add_range(Mfn{r.first}, r.end - r.first);
}

std::span<const Range> ram() { return {all_ram.list, all_ram.used}; }

Range largest()
{
    return *std::max_element(left.begin(), left.end(), [](const Range& a, const Range& b) { return a.end - a.first < b.end - b.first; });
}
u64 ram_frames() { return frames_of_ram; }
Mfn end_of_ram() { return Mfn{ram_end}; }
Mfn trampoline_frame() { return trampoline; }

} // namespace tenon::x86::boot_memory
