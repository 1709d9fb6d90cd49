// Own maps: the tables always show exactly the frames that were entered and not taken out, however they came and went.
#include "arch/x86/mm/own_map.hpp"
#include "arch/x86/mm/paging.hpp"
#include <fake/machine.hpp>
#include <fake/memory.hpp>
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace tenon;
using namespace tenon::x86;

namespace tenon::x86 {
/// A table's address stands for its frame: a walk can follow it.
Mfn shared_frame(u64 va) { return Mfn{va >> page_shift}; }
} // namespace tenon::x86

namespace {

constexpr u64 ram = 8 * 512; // frames: eight blocks

struct Shown {
    std::set<u64> frames;
    unsigned large = 0;
};

void walk(Shown& shown, Pte entry, unsigned level, u64 first)
{
    if (!entry.is_present())
        return;
    const u64 covered = u64{1} << 9 * level;
    if (level == 0 || entry.raw & Pte::large) {
        EXPECT_EQ(entry.mfn().raw(), first) << "the address follows from the frame number";
        EXPECT_TRUE(entry.raw & Pte::no_execute);
        EXPECT_FALSE(entry.raw & Pte::user);
        shown.large += level == 1;
        for (u64 i = 0; i < covered; i++)
            shown.frames.insert(first + i);
        return;
    }
    auto* table = reinterpret_cast<const Pte*>(entry.mfn().raw() << page_shift);
    for (unsigned i = 0; i < entries_per_table; i++)
        walk(shown, table[i], level - 1, first + i * (covered >> 9));
}

Shown shown_by(const OwnMap& map)
{
    Shown shown;
    walk(shown, map.root_entry(0), 3, 0);
    return shown;
}

struct OwnMaps : testing::Test {
    OwnMaps()
    {
        fake::reset(1);
        fake::make_memory(ram, ram);
        EXPECT_TRUE(map.init().ok());
    }
    OwnMap map;
};

TEST_F(OwnMaps, AreEmptyAtFirst)
{
    EXPECT_TRUE(map.root_entry(0).is_present()) << "level-4 tables are made before the first frame comes";
    EXPECT_FALSE(map.root_entry(1).is_present());
    EXPECT_TRUE(shown_by(map).frames.empty());
}

TEST_F(OwnMaps, AWholeBlockIsOneEntryUntilAFrameLeaves)
{
    ASSERT_TRUE(map.add(Mfn{512}, 1024).ok());
    EXPECT_EQ(shown_by(map).large, 2u);
    map.remove(Mfn{600});
    Shown now = shown_by(map);
    EXPECT_EQ(now.large, 1u);
    EXPECT_EQ(now.frames.size(), 1023u);
    EXPECT_FALSE(now.frames.contains(600));
    ASSERT_TRUE(map.add(Mfn{600}, 1).ok());
    EXPECT_EQ(shown_by(map).frames.size(), 1024u);
}

TEST_F(OwnMaps, RunsMayBeginAndEndAnywhere)
{
    ASSERT_TRUE(map.add(Mfn{500}, 1100).ok()); // the end of a block, two whole ones, the beginning of another
    Shown now = shown_by(map);
    EXPECT_EQ(now.frames.size(), 1100u);
    EXPECT_EQ(*now.frames.begin(), 500u);
    EXPECT_EQ(*now.frames.rbegin(), 1599u);
    EXPECT_EQ(now.large, 2u);
}

TEST_F(OwnMaps, ShowExactlyWhatIsInThem)
{
    std::mt19937 random(7);
    std::set<u64> in;
    for (unsigned round = 0; round < 3000; round++) {
        const bool is_block = random() % 8 == 0;
        const u64 count = is_block ? 512 : 1 + random() % 5, first = is_block ? random() % 8 * 512 : random() % (ram - count);
        bool any = false;
        for (u64 i = 0; i < count; i++)
            any |= in.contains(first + i);
        if (!any) {
            ASSERT_TRUE(map.add(Mfn{first}, count).ok());
            for (u64 i = 0; i < count; i++)
                in.insert(first + i);
        } else {
            for (u64 i = 0; i < count; i++)
                if (in.erase(first + i))
                    map.remove(Mfn{first + i});
        }
        if (round % 50 == 0) {
            ASSERT_EQ(shown_by(map).frames, in) << "round " << round;
        }
    }
    EXPECT_EQ(shown_by(map).frames, in);
}

} // namespace
