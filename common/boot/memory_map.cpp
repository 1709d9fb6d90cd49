// See memory_map.hpp. The list is made from edge to edge: between two edges of the firmware's entries the memory is of one kind.
#include <tenon/boot/memory_map.hpp>
#include <tenon/lib/bytes.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace {

constexpr u64 address_limit = u64{1} << 52; // [SDM 3A 4.1.4] widest physical address

/// A table of the firmware's, and where its entries have their fields.
struct Table {
    Bytes bytes;
    u32 stride, start, length, length_shift, type;
    RegionKind (*kind_of)(u32 type);

    Region entry(u64 at) const
    {
        const u64 first = min(bytes.get<u64>(at + start), address_limit), most = (address_limit - first) >> length_shift;
        return {first, first + (min(bytes.get<u64>(at + length), most) << length_shift), kind_of(bytes.get<u32>(at + type))};
    }
    /// The strictest kind at an address, `none` in a gap, and where the next entry begins or ends.
    Region piece_at(u64 address) const
    {
        Region piece{address, address_limit, RegionKind::none};
        for (u64 at = 0; at < bytes.size(); at += stride) {
            const Region e = entry(at);
            if (e.start <= address && address < e.end)
                piece.kind = max(piece.kind, e.kind);
            for (u64 edge : {e.start, e.end})
                if (edge > address)
                    piece.end = min(piece.end, edge);
        }
        return piece;
    }
};

RegionKind kind_of_e820(u32 type) { return type >= 1 && type <= 5 ? RegionKind(type) : RegionKind::reserved; }

/// [UEFI 2.9, 7.2 GetMemoryMap] once boot services have ended.
RegionKind kind_of_efi(u32 type)
{
    using enum RegionKind; // 1 to 4: code and data of the loader and of boot services
    constexpr RegionKind kinds[] = {reserved, ram, ram, ram, ram, reserved, reserved, ram, unusable, acpi, nvs};
    return type < std::size(kinds) ? kinds[type] : reserved;
}

} // namespace

bool MemoryMap::load(const BootInfo& info)
{
    const u64 sizes[][3] = {{0, u64{min(info.lower_kib, 640u)} << 10, 1}, {0x100000, u64{info.upper_kib} << 10, 1}};
    Table table{{reinterpret_cast<const u8*>(sizes), sizeof sizes}, sizeof sizes[0], 0, 8, 0, 16, kind_of_e820};
    if (!info.mmap.empty() && info.mmap_entry_bytes) {
        table.bytes = info.mmap;
        table.stride = info.mmap_entry_bytes;
    } else if (!info.efi_map.empty() && info.efi_descriptor_bytes) {
        table = {info.efi_map, info.efi_descriptor_bytes, 8, 24, page_shift, 0, kind_of_efi};
    }
    bool has_ram = false;
    for (Region next = table.piece_at(0); next.start < address_limit;) {
        Region region = next;
        while (next.start < address_limit && next.kind == region.kind) {
            region.end = next.end;
            next = table.piece_at(next.end);
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
