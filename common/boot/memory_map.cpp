// See memory_map.hpp. The list is made from edge to edge: between two edges of the firmware's entries the memory is of one type.
#include <tenon/boot/memory_map.hpp>
#include <tenon/lib/bytes.hpp>
#include <tenon/log.hpp>

namespace tenon::memory_map {
namespace {

constexpr u64 address_limit = u64{1} << 52; // [SDM 3A 4.1.4] widest physical address
xen_e820_entry list[384];
unsigned count;

struct Region {
    u64 start, end; ///< end exclusive
    u32 type;       ///< of E820, where a higher one is more restrictive; 0: a gap
};

/// An entry of the firmware's map: {u64 start, u64 bytes, u32 type}.
Region entry(const Bytes& map, u64 at)
{
    const u64 start = min(map.get<u64>(at), address_limit);
    const u32 type = map.get<u32>(at + 16);
    return {start, start + min(map.get<u64>(at + 8), address_limit - start), type >= 1 && type <= 5 ? type : u32{XEN_E820_RESERVED}};
}

/// The strictest type at an address, and where the next entry begins or ends.
Region piece_at(u64 address, const BootInfo& info)
{
    Region piece{address, address_limit, 0};
    for (u64 at = 0; at < info.mmap.size(); at += info.mmap_entry_bytes) {
        const Region e = entry(info.mmap, at);
        if (e.start <= address && address < e.end)
            piece.type = max(piece.type, e.type);
        for (u64 edge : {e.start, e.end})
            if (edge > address)
                piece.end = min(piece.end, edge);
    }
    return piece;
}

} // namespace

bool load(const BootInfo& info)
{
    bool has_ram = false;
    count = 0;
    for (Region next = piece_at(0, info); next.start < address_limit;) {
        Region region = next;
        while (next.start < address_limit && next.type == region.type) {
            region.end = next.end;
            next = piece_at(next.end, info);
        }
        if (region.type == XEN_E820_RAM) {
            region.start = align_up(region.start, page_size);
            region.end = align_down(region.end, page_size);
        }
        if (region.type == 0 || region.start >= region.end)
            continue;
        if (count == std::size(list)) {
            log_warning("memory map is full: what lies from %lx on is left out", region.start);
            break;
        }
        list[count++] = {region.start, region.end - region.start, region.type};
        has_ram |= region.type == XEN_E820_RAM;
    }
    return has_ram;
}

std::span<const xen_e820_entry> regions() { return {list, count}; }

} // namespace tenon::memory_map
