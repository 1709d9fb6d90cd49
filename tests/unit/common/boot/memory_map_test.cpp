#include <cstring>
#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <random>
#include <tenon/boot/memory_map.hpp>
#include <vector>

using namespace tenon;

namespace {

using Kind = RegionKind;

std::string text_of(const MemoryMap& map)
{
    std::string out;
    char line[80];
    for (auto& r : map.regions()) {
        std::snprintf(line, sizeof(line), "%lx-%lx %u;", r.start, r.end, u32(r.kind));
        out += line;
    }
    return out;
}

u64 ram_bytes(const MemoryMap& map)
{
    u64 sum = 0;
    for (auto& r : map.regions())
        sum += r.kind == Kind::ram ? r.bytes() : 0;
    return sum;
}

bool is_ram(const MemoryMap& map, u64 start, u64 end)
{
    for (auto& r : map.regions())
        if (r.kind == Kind::ram && r.start <= start && end <= r.end)
            return true;
    return false;
}

void expect_sane(const MemoryMap& map)
{
    u64 end = 0;
    const Region* before = nullptr;
    for (auto& r : map.regions()) {
        ASSERT_LT(r.start, r.end);
        ASSERT_LE(end, r.start);
        if (before && before->end == r.start) {
            ASSERT_NE(before->kind, r.kind);
        }
        end = r.end;
        before = &r;
    }
}

struct Entry {
    u64 start, bytes;
    u32 type, zero;
};
/// What becomes of these [start, end), in the order in which the firmware has them.
struct Loaded {
    std::vector<Entry> entries;
    void add(u64 start, u64 end, Kind kind) { entries.push_back({start, end - start, u32(kind), 0}); }
    MemoryMap map() const
    {
        BootInfo info;
        info.mmap = {reinterpret_cast<const u8*>(entries.data()), entries.size() * sizeof(Entry)};
        info.mmap_entry_bytes = sizeof(Entry);
        MemoryMap map;
        (void)map.load(info);
        expect_sane(map);
        return map;
    }
};

TEST(MemoryMap, SortsMergesAndLetsTheStricterKindWin)
{
    Loaded list;
    list.add(0x100000, 0x200000, Kind::ram);
    list.add(0, 0xa0000, Kind::ram);
    list.add(0x200000, 0x300000, Kind::ram);
    EXPECT_EQ(text_of(list.map()), "0-a0000 1;100000-300000 1;");
    list.add(0x280000, 0x400000, Kind::reserved);
    list.add(0x150000, 0x160000, Kind::acpi);
    EXPECT_EQ(text_of(list.map()), "0-a0000 1;100000-150000 1;150000-160000 3;160000-280000 1;280000-400000 2;");
    list.add(0, 0x1000000, Kind::ram); // weaker everywhere: only fills gaps
    EXPECT_EQ(text_of(list.map()), "0-150000 1;150000-160000 3;160000-280000 1;280000-400000 2;400000-1000000 1;");
    list.add(0x140000, 0x500000, Kind::unusable);
    EXPECT_EQ(text_of(list.map()), "0-140000 1;140000-500000 5;500000-1000000 1;");
    list.add(5, 5, Kind::reserved);
    MemoryMap map = list.map();
    EXPECT_TRUE(is_ram(map, 0, 0x140000));
    EXPECT_FALSE(is_ram(map, 0, 0x140001));
    EXPECT_EQ(ram_bytes(map), 0x140000u + 0xb00000u);
}

TEST(MemoryMap, TrimsRamToPages)
{
    Loaded list;
    list.add(0, 0x9fc00, Kind::ram);
    list.add(0x9fc00, 0xa0000, Kind::reserved);
    list.add(0x100800, 0x100c00, Kind::ram);
    EXPECT_EQ(text_of(list.map()), "0-9f000 1;9fc00-a0000 2;");
}

TEST(MemoryMap, ReadsE820)
{
    struct [[gnu::packed]] {
        u64 start, bytes;
        u32 type, zero;
    } e820[] = {{0x100000, 0x7ff00000, 1, 0},
                {0, 0xa0000, 1, 0},
                {0x7fe00000, 0x100000, 4, 0},
                {~u64{0} - 10, 100, 1, 0},
                {0xffff0000, ~u64{0}, 77, 0}};
    BootInfo info;
    info.mmap = {reinterpret_cast<u8*>(e820), sizeof(e820)};
    info.mmap_entry_bytes = 24;
    MemoryMap map;
    ASSERT_TRUE(map.load(info));
    EXPECT_EQ(text_of(map), "0-a0000 1;100000-7fe00000 1;7fe00000-7ff00000 4;7ff00000-80000000 1;ffff0000-10000000000000 2;");

    MemoryMap none;
    EXPECT_FALSE(none.load(BootInfo{}));
}

TEST(MemoryMap, AFullListNeverTurnsReservedMemoryIntoRam)
{
    fake::reset();
    Loaded list;
    list.add(0, 0x10000000, Kind::ram);
    for (u64 i = 0; i < 600; i++)
        list.add(i * 0x10000 + 0x1000, i * 0x10000 + 0x2000, Kind::reserved);
    MemoryMap map = list.map();
    EXPECT_EQ(map.regions().size(), MemoryMap::capacity);
    EXPECT_NE(fake::take_log().find("memory map is full"), std::string::npos);
    for (u64 i = 0; i < 600; i++)
        ASSERT_FALSE(is_ram(map, i * 0x10000 + 0x1000, i * 0x10000 + 0x1001));
}

TEST(MemoryMap, AgreesWithAPageByPageModel)
{
    for (unsigned seed = 0; seed < 300; seed++) {
        std::mt19937 random(seed);
        std::vector<u32> model(256);
        Loaded list;
        for (int i = 0; i < 60; i++) {
            u64 start = random() % 256, end = start + random() % 40;
            u32 kind = random() % 5 + 1;
            list.add(start << 12, end << 12, Kind(kind));
            for (u64 p = start; p < end && p < 256; p++)
                model[p] = std::max(model[p], kind);
        }
        MemoryMap map = list.map();
        for (u64 p = 0; p < 256; p++) {
            u32 kind = 0;
            for (auto& r : map.regions())
                if (r.start <= p << 12 && p << 12 < r.end)
                    kind = u32(r.kind);
            ASSERT_EQ(kind, model[p]) << p;
        }
    }
}

} // namespace
