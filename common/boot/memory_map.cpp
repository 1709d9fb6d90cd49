// See memory_map.hpp. The list is made from edge to edge: between two edges of the firmware's entries the memory is of one kind.
#include <tenon/boot/memory_map.hpp>
#include <tenon/lib/bytes.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace {

constexpr u64 address_limit = u64{1} << 52; // [SDM 3A 4.1.4] widest physical address

/// An entry of the firmware's map: {u64 start, u64 bytes, u32 type}.
Region entry(const Bytes& map, u64 at)
{
    const u64 start = min(map.get<u64>(at), address_limit);
    const u32 type = map.get<u32>(at + 16);
    return {start, start + min(map.get<u64>(at + 8), address_limit - start),
            type >= 1 && type <= 5 ? RegionKind(type) : RegionKind::reserved};
}

/// The strictest kind at an address, `none` in a gap, and where the next entry begins or ends.
Region piece_at(u64 address, const BootInfo& info)
{
    Region piece{address, address_limit, RegionKind::none};
    for (u64 at = 0; at < info.mmap.size(); at += info.mmap_entry_bytes) {
        const Region e = entry(info.mmap, at);
        if (e.start <= address && address < e.end)
            piece.kind = max(piece.kind, e.kind);
        for (u64 edge : {e.start, e.end})
            if (edge > address)
                piece.end = min(piece.end, edge);
    }
    return piece;
}

} // namespace

bool MemoryMap::load(const BootInfo& info)
{
    bool has_ram = false;
    for (Region next = piece_at(0, info); next.start < address_limit;) {
        Region region = next;
        while (next.start < address_limit && next.kind == region.kind) {
            region.end = next.end;
            next = piece_at(next.end, info);
        }
        if (region.kind == RegionKind::ram) {
            region.start = align_up(region.start, page_size);
            region.end = align_down(region.end, page_size);
        }
        if (region.kind == RegionKind::none || region.start >= region.end)
            continue;
        if (count_ == capacity) {
            log_warning("memory map is full: what lies from %lx on is left out", region.start);
            break;
        }
        region_[count_++] = region;
        has_ram |= region.kind == RegionKind::ram;
    }
    return has_ram;
}

} // namespace tenon
