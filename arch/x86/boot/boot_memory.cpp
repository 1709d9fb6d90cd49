// Memory before the allocator: two short lists of frame ranges, one of all RAM, one of what is still free.
#include "boot_memory.hpp"
#include <tenon/boot/boot_info.hpp>
#include <tenon/boot/memory_map.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon::x86::boot_memory {

namespace {

struct Range {
    u64 first, end;
};
constexpr unsigned capacity = 128;
constexpr u64 four_gib = u64{1} << 20, one_mib = 256; // in frames
constinit Range ram[capacity]{}, left[capacity]{};
constinit unsigned ram_count = 0, left_count = 0;
constinit bool handed_over = false;
constinit Mfn trampoline = invalid_mfn;

void add(Range* list, unsigned& count, Range r)
{
    if (r.first < r.end && count < capacity)
        list[count++] = r;
}

void remove_left(u64 first, u64 end)
{
    for (unsigned i = 0; i < left_count; i++) {
        Range r = left[i];
        if (end <= r.first || first >= r.end)
            continue;
        left[i] = {r.first, max(r.first, first)};
        add(left, left_count, {min(r.end, end), r.end});
    }
}

/// From the end of the highest (or largest) range that has room below `limit`.
Mfn cut(u64 count, u64 limit, u64 align, bool largest)
{
    Range* best = nullptr;
    u64 best_at = 0;
    for (unsigned i = 0; i < left_count; i++) {
        u64 end = min(left[i].end, limit);
        if (end < left[i].first + count)
            continue;
        u64 at = align_down(end - count, align);
        if (at < left[i].first)
            continue;
        bool better = !best || (largest ? left[i].end - left[i].first > best->end - best->first : at > best_at);
        if (better) {
            best = &left[i];
            best_at = at;
        }
    }
    if (!best)
        return invalid_mfn;
    remove_left(best_at, best_at + count);
    return Mfn{best_at};
}

} // namespace

void init(const MemoryMap& map, const BootInfo& info, MachineAddr image, u64 image_bytes)
{
    for (const Region& r : map.regions()) {
        if (r.kind != RegionKind::ram)
            continue;
        Range frames{pages_for(r.start), r.end >> page_shift};
        add(ram, ram_count, frames);
        if (frames.first < one_mib) {
            u64 end = min(frames.end, u64{0x9f});
            if (end > 1 && frames.first < end)
                trampoline = Mfn{end - 1};
        }
        add(left, left_count, {max(frames.first, one_mib), frames.end});
    }
    remove_left(image.raw() >> page_shift, pages_for(image.raw() + image_bytes));
    for (unsigned i = 0; i < info.module_count; i++)
        remove_left(info.module_list[i].start >> page_shift, pages_for(info.module_list[i].start + info.module_list[i].bytes));
}

Mfn take(u64 count) { return cut(count, four_gib, 1, false); }
Mfn take_aligned(u64 count) { return cut(count, ~u64{0}, 512, false); }
Mfn borrow(u64 count) { return cut(count, ~u64{0}, 512, true); }

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
    for (unsigned i = 0; i < ram_count; i++)
        for (u64 f = max(ram[i].first, one_mib); f < ram[i].end;) {
            u64 stop = ram[i].end;
            bool is_left = false;
            for (unsigned k = 0; k < left_count; k++)
                if (f >= left[k].first && f < left[k].end) {
                    is_left = true;
                    stop = left[k].end;
                } else if (left[k].first > f && left[k].first < left[k].end)
                    stop = min(stop, left[k].first);
            if (!is_left)
                frame_table::claim(Mfn{f}, stop - f);
            f = stop;
        }
    for (unsigned i = 0; i < left_count; i++)
        if (left[i].first < left[i].end)
            frame_allocator::add_range(Mfn{left[i].first}, left[i].end - left[i].first);
    left_count = 0;
}

u64 ram_frames()
{
    u64 n = 0;
    for (unsigned i = 0; i < ram_count; i++)
        n += ram[i].end - ram[i].first;
    return n;
}

Mfn end_of_ram()
{
    u64 end = 0;
    for (unsigned i = 0; i < ram_count; i++)
        end = max(end, ram[i].end);
    return Mfn{end};
}

Mfn trampoline_frame() { return trampoline; }

void for_each_ram_range(void (*visit)(void*, Mfn, u64), void* context)
{
    for (unsigned i = 0; i < ram_count; i++)
        visit(context, Mfn{ram[i].first}, ram[i].end - ram[i].first);
}

} // namespace tenon::x86::boot_memory
