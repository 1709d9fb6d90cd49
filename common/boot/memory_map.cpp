// See memory_map.hpp. Regions are kept sorted and disjoint at every step.
#include <tenon/boot/memory_map.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace {

constexpr u64 address_limit = u64{1} << 52; // [SDM 3A 4.1.4] widest physical address

RegionKind kind_of_e820(u32 type) { return type >= 1 && type <= 5 ? RegionKind(type) : RegionKind::reserved; }

/// [UEFI 2.9, 7.2 GetMemoryMap] once boot services have ended.
RegionKind kind_of_efi(u32 type)
{
    switch (type) {
    case 1: // loader code and data
    case 2:
    case 3: // boot services code and data
    case 4:
    case 7: return RegionKind::ram;
    case 8: return RegionKind::unusable;
    case 9: return RegionKind::acpi;
    case 10: return RegionKind::nvs;
    default: return RegionKind::reserved;
    }
}

u64 read_u64(const u8* p)
{
    u64 value;
    __builtin_memcpy(&value, p, sizeof(value));
    return value;
}

} // namespace

const char* name_of(RegionKind kind)
{
    static constexpr const char* names[] = {"?", "RAM", "reserved", "ACPI tables", "ACPI NVS", "unusable"};
    return names[u32(kind) <= 5 ? u32(kind) : 0];
}

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

/// Cuts region `at` in two. A full list loses the upper part when it is RAM; otherwise nothing changes.
bool MemoryMap::split(unsigned at, u64 where)
{
    Region upper{where, region_[at].end, region_[at].kind};
    if (!insert(at + 1, upper) && upper.kind != RegionKind::ram)
        return false;
    region_[at].end = where;
    return true;
}

void MemoryMap::merge()
{
    for (unsigned i = 0; i + 1 < count_;) {
        if (region_[i].kind == region_[i + 1].kind && region_[i].end == region_[i + 1].start) {
            region_[i].end = region_[i + 1].end;
            remove(i + 1);
        } else {
            i++;
        }
    }
}

void MemoryMap::add(u64 start, u64 end, RegionKind kind)
{
    end = min(end, address_limit);
    unsigned i = 0;
    while (start < end) {
        while (i < count_ && region_[i].end <= start)
            i++;
        if (i == count_ || region_[i].start > start) { // a gap
            u64 stop = i == count_ ? end : min(end, region_[i].start);
            if (!insert(i, {start, stop, kind}) && kind != RegionKind::ram)
                log_warning("memory map is full: %lx-%lx (%s) is left out", start, stop, name_of(kind));
            start = stop;
            continue;
        }
        u64 stop = min(end, region_[i].end);
        if (region_[i].kind < kind) {
            if (region_[i].start < start) {
                if (!split(i, start))
                    return;
                continue; // the part from `start` on is a region of its own now, or gone
            }
            if (stop < region_[i].end && !split(i, stop))
                return;
            region_[i].kind = kind;
        }
        start = stop;
    }
    merge();
}

void MemoryMap::trim()
{
    for (unsigned i = 0; i < count_;) {
        Region& r = region_[i];
        if (r.kind == RegionKind::ram) {
            r.start = align_up(r.start, page_size);
            r.end = align_down(r.end, page_size);
        }
        if (r.start >= r.end)
            remove(i);
        else
            i++;
    }
}

void MemoryMap::load_e820(const BootInfo& info)
{
    for (u64 at = 0; at + 24 <= info.mmap.size(); at += info.mmap_entry_bytes) {
        const u8* entry = info.mmap.data() + at;
        u64 start = read_u64(entry), bytes = read_u64(entry + 8);
        if (start < address_limit && bytes)
            add(start, start + min(bytes, address_limit - start), kind_of_e820(u32(read_u64(entry + 16))));
    }
}

void MemoryMap::load_efi(const BootInfo& info)
{
    for (u64 at = 0; at + 40 <= info.efi_map.size(); at += info.efi_descriptor_bytes) {
        const u8* entry = info.efi_map.data() + at;
        u64 start = read_u64(entry + 8), pages = read_u64(entry + 24);
        if (start < address_limit && pages)
            add(start, start + min(pages, (address_limit - start) >> page_shift) * page_size, kind_of_efi(u32(read_u64(entry))));
    }
}

bool MemoryMap::load(const BootInfo& info)
{
    if (!info.mmap.empty() && info.mmap_entry_bytes) {
        load_e820(info);
    } else if (!info.efi_map.empty() && info.efi_descriptor_bytes) {
        load_efi(info);
    } else {
        add(0, u64{min(info.lower_kib, 640u)} << 10, RegionKind::ram);
        add(0x100000, 0x100000 + (u64{info.upper_kib} << 10), RegionKind::ram);
    }
    trim();
    return ram_bytes() != 0;
}

u64 MemoryMap::ram_bytes() const
{
    u64 bytes = 0;
    for (const Region& r : regions())
        if (r.kind == RegionKind::ram)
            bytes += r.bytes();
    return bytes;
}

u64 MemoryMap::end_of_ram() const
{
    u64 end = 0;
    for (const Region& r : regions())
        if (r.kind == RegionKind::ram)
            end = r.end;
    return end;
}

bool MemoryMap::is_ram(u64 start, u64 end) const
{
    for (const Region& r : regions())
        if (r.kind == RegionKind::ram && r.start <= start && end <= r.end)
            return start < end;
    return false;
}

} // namespace tenon
