// See memory_map.hpp. Regions are kept sorted and disjoint at every step.
#include <tenon/boot/memory_map.hpp>
#include <tenon/lib/bytes.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace {

constexpr u64 address_limit = u64{1} << 52; // [SDM 3A 4.1.4] widest physical address

RegionKind kind_of(u32 type) { return type >= 1 && type <= 5 ? RegionKind(type) : RegionKind::reserved; }

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

bool MemoryMap::load(const BootInfo& info)
{
    const Bytes map = info.mmap;
    for (u64 at = 0; at + 24 <= map.size(); at += info.mmap_entry_bytes) {
        const u64 start = map.get<u64>(at), bytes = map.get<u64>(at + 8);
        if (start < address_limit)
            add(start, start + min(bytes, address_limit - start), kind_of(map.get<u32>(at + 16)));
    }
    trim();
    for (const Region& r : regions())
        if (r.kind == RegionKind::ram)
            return true;
    return false;
}

} // namespace tenon
