// See memory_map.hpp. Regions are kept sorted and disjoint at every step.
#include <tenon/boot/memory_map.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace {

constexpr u64 address_limit = u64{1} << 52; // [SDM 3A 4.1.4] widest physical address

/// Where an entry of the firmware's map has its fields.
struct EntryLayout {
    u32 bytes, start, length, length_shift, type;
    RegionKind (*kind_of)(u32 type);
};
constexpr EntryLayout e820{24, 0, 8, 0, 16, [](u32 type) { return type >= 1 && type <= 5 ? RegionKind(type) : RegionKind::reserved; }};
/// [UEFI 2.9, 7.2 GetMemoryMap] once boot services have ended.
constexpr EntryLayout efi{40, 8, 24, page_shift, 0, [](u32 type) {
                              using enum RegionKind; // 1 to 4: code and data of the loader and of boot services
                              constexpr RegionKind kinds[] = {reserved, ram, ram, ram, ram, reserved, reserved, ram, unusable, acpi, nvs};
                              return type < std::size(kinds) ? kinds[type] : reserved;
                          }};

} // namespace

bool MemoryMap::insert(unsigned at, Region region)
{
    if (count_ == capacity)
        return false;
    for (unsigned i = count_++; i > at; i--)
        region_[i] = region_[i - 1];
    region_[at] = region;
    return true;
}

void MemoryMap::remove(unsigned at)
{
    count_--;
    for (unsigned i = at; i < count_; i++)
        region_[i] = region_[i + 1];
}

/// Makes a region that `where` lies in two. In a full list it stays one, and as a whole gets the kind of a restriction of its part.
void MemoryMap::cut(u64 where)
{
    for (unsigned i = 0; i < count_; i++)
        if (Region& r = region_[i]; r.start < where && where < r.end) {
            if (insert(i + 1, {where, r.end, r.kind}))
                r.end = where;
            return;
        }
}

void MemoryMap::add(u64 start, u64 end, RegionKind kind)
{
    end = min(end, address_limit);
    if (start >= end)
        return;
    cut(start);
    cut(end);
    for (unsigned i = 0; start < end; i++) {
        while (i < count_ && region_[i].end <= start)
            i++;
        u64 stop = i == count_ ? end : min(end, region_[i].start);
        if (start < stop) { // a gap
            if (!insert(i, {start, stop, kind}) && kind != RegionKind::ram)
                log_warning("memory map is full: %lx-%lx (E820 type %u) is left out", start, stop, u32(kind));
            start = stop;
        } else {
            region_[i].kind = max(region_[i].kind, kind);
            start = region_[i].end;
        }
    }
    for (unsigned i = 0; i + 1 < count_;)
        if (region_[i].kind == region_[i + 1].kind && region_[i].end == region_[i + 1].start) {
            region_[i].end = region_[i + 1].end;
            remove(i + 1);
        } else {
            i++;
        }
}

void MemoryMap::trim()
{
    for (unsigned i = count_; i--;) {
        Region& r = region_[i];
        if (r.kind == RegionKind::ram)
            r = {align_up(r.start, page_size), align_down(r.end, page_size), r.kind};
        if (r.start >= r.end)
            remove(i);
    }
}

template <class Layout> void MemoryMap::load_table(std::span<const u8> table, u64 stride, const Layout& layout)
{
    for (u64 at = 0; at + layout.bytes <= table.size(); at += stride) {
        auto field = [&](u32 offset) {
            u64 value;
            __builtin_memcpy(&value, table.data() + at + offset, sizeof(value));
            return value;
        };
        u64 start = field(layout.start), most = (address_limit - start) >> layout.length_shift;
        if (start < address_limit)
            add(start, start + (min(field(layout.length), most) << layout.length_shift), layout.kind_of(u32(field(layout.type))));
    }
}

bool MemoryMap::load(const BootInfo& info)
{
    if (!info.mmap.empty() && info.mmap_entry_bytes) {
        load_table(info.mmap, info.mmap_entry_bytes, e820);
    } else if (!info.efi_map.empty() && info.efi_descriptor_bytes) {
        load_table(info.efi_map, info.efi_descriptor_bytes, efi);
    } else {
        add(0, u64{min(info.lower_kib, 640u)} << 10, RegionKind::ram);
        add(0x100000, 0x100000 + (u64{info.upper_kib} << 10), RegionKind::ram);
    }
    trim();
    for (const Region& r : regions())
        if (r.kind == RegionKind::ram)
            return true;
    return false;
}

} // namespace tenon
