// Windows: as many as ever nest are there, each shows its frame alone, and nothing stays in the table.
#include "arch/x86/mm/windows.hpp"
#include <array>
#include <fake/machine.hpp>
#include <gtest/gtest.h>

using namespace tenon;
using namespace tenon::x86;

namespace {

struct Windows : testing::Test {
    std::array<Pte, window_count + 1> entries{}; // what lies behind the last one is not theirs
    u8 open = 0;
    unsigned present() const
    {
        unsigned count = 0;
        for (Pte entry : entries)
            count += entry.is_present();
        return count;
    }
};

TEST_F(Windows, TheWorstNestingLeavesAsManyFree)
{
    for (unsigned i = 0; i < windows::worst_nesting; i++) {
        EXPECT_EQ(windows::open(entries.data(), open, Mfn{100 + i}), i);
        EXPECT_EQ(entries[i].mfn(), Mfn{100 + i});
    }
    // An interrupt in the middle, as deep as that again.
    for (unsigned i = windows::worst_nesting; i < 2 * windows::worst_nesting; i++)
        EXPECT_EQ(windows::open(entries.data(), open, Mfn{100 + i}), i);
    EXPECT_EQ(present(), 2 * windows::worst_nesting);
    while (open) {
        windows::close(entries.data(), open);
        EXPECT_EQ(present(), open);
        for (unsigned i = 0; i < open; i++)
            EXPECT_EQ(entries[i].mfn(), Mfn{100 + i}) << "who opened first keeps his";
    }
    EXPECT_EQ(entries.back().raw, 0u);
}

TEST_F(Windows, OneMoreThanThereAreIsOurMistake)
{
    for (unsigned i = 0; i < window_count; i++)
        windows::open(entries.data(), open, Mfn{1 + i});
    EXPECT_THROW(windows::open(entries.data(), open, Mfn{99}), fake::Panic);
    EXPECT_EQ(entries.back().raw, 0u);
}

} // namespace
