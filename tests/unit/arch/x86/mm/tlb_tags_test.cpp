// Flushes over a model of a TLB with tags, as the manual says that they work: what must be gone is gone, under both tags, and what a
// change of the guest's mode may keep is kept.
#include "arch/x86/mm/tlb_tags.hpp"
#include "arch/x86/cpu/features.hpp"
#include <gtest/gtest.h>
#include <set>
#include <tenon_arch/cpu_ops.hpp>
#include <utility>

namespace tenon::x86 {

Features features{};

namespace {

/// [SDM 3A 4.10.4.1] Without CR4.PCIDE every entry has tag 0, and bit 63 of CR3 must not be set.
struct Tlb {
    u64 cr3 = 0;
    std::set<std::pair<u64, u64>> entries; ///< tag, page
    u64 tag() const { return features.pcid ? cr3 & 0xfff : 0; }
    void touch(u64 va) { entries.emplace(tag(), va >> page_shift); }
    bool knows(u64 tag, u64 va) const { return entries.contains({tag, va >> page_shift}); }
    void drop_tag(u64 t)
    {
        std::erase_if(entries, [&](auto& e) { return e.first == t; });
    }
} tlb;

} // namespace

u64 read_cr3() { return tlb.cr3; } // bit 63 reads as 0
void write_cr3(u64 value)
{
    const bool keep = value >> 63;
    EXPECT_TRUE(features.pcid || !keep) << "a #GP on a CPU without PCIDs";
    tlb.cr3 = value & ~bit(63);
    if (!keep)
        tlb.drop_tag(tlb.tag());
}
void invalidate_page(u64 va) { tlb.entries.erase({tlb.tag(), va >> page_shift}); }
void invpcid(u64 type, u64 tag, u64 va)
{
    ASSERT_TRUE(features.pcid) << "a #UD on a CPU without INVPCID";
    ASSERT_LE(type, 3u);
    ASSERT_LT(tag, 4096u);
    ASSERT_TRUE(type != 0 || s64(va << 16) >> 16 == s64(va)) << "a #GP";
    if (type == 0)
        tlb.entries.erase({tag, va >> page_shift});
    else if (type == 1)
        tlb.drop_tag(tag);
    else
        tlb.entries.clear();
}

} // namespace tenon::x86

using namespace tenon;
using namespace tenon::x86;
using enum tlb_tags::Tag;

namespace {

constexpr u64 kernel_va = 0xffff'8880'0000'1000, both_va = 0x40'0000, user_va = 0x7fff'0000'0000;

struct TlbTags : testing::TestWithParam<bool> {
    TlbTags()
    {
        features.pcid = GetParam();
        tlb = {};
        kernel_cr3 = tlb_tags::cr3_of(Mfn{0x123}, kernel);
        user_cr3 = tlb_tags::cr3_of(Mfn{0x456}, user);
        run();
    }
    /// What the entry code does: a system call from user mode, and back.
    void run()
    {
        write_cr3(user_cr3);
        tlb.touch(both_va);
        tlb.touch(user_va);
        write_cr3(kernel_cr3);
        tlb.touch(kernel_va);
        tlb.touch(both_va);
    }
    u64 tag_of(tlb_tags::Tag tag) const { return GetParam() ? u64(tag) : 0; }
    bool anything_old() const { return !tlb.entries.empty(); }
    u64 kernel_cr3, user_cr3;
};

TEST_P(TlbTags, NameTheTable)
{
    EXPECT_EQ(kernel_cr3 & 0xf'ffff'ffff'f000, 0x123'000u);
    EXPECT_EQ(user_cr3 & 0xf'ffff'ffff'f000, 0x456'000u);
}

TEST_P(TlbTags, AChangeOfModeKeepsWhatWasThere)
{
    write_cr3(user_cr3);
    EXPECT_EQ(tlb.knows(tag_of(user), user_va), GetParam());
    write_cr3(kernel_cr3);
    EXPECT_EQ(tlb.knows(tag_of(kernel), kernel_va), GetParam());
}

TEST_P(TlbTags, ForgetEverything)
{
    tlb_tags::forget_all();
    EXPECT_FALSE(anything_old());
    EXPECT_EQ(tlb.cr3 & 0xf'ffff'ffff'f000, 0x123'000u) << "the tables stay loaded";
}

TEST_P(TlbTags, NewKernelTablesForgetEverything)
{
    tlb_tags::load_and_forget(tlb_tags::cr3_of(Mfn{0x789}, kernel));
    EXPECT_FALSE(anything_old());
    EXPECT_EQ(tlb.cr3 & 0xf'ffff'ffff'f000, 0x789'000u);
}

TEST_P(TlbTags, ASwitchLeavesNothingOfTheOtherVcpu)
{
    const u64 next = tlb_tags::prepare_switch(tlb_tags::cr3_of(Mfn{0x789}, kernel));
    tlb.touch(kernel_va); // the CPU may still fetch something by the old tables
    write_cr3(next);
    EXPECT_FALSE(anything_old());
    write_cr3(tlb_tags::cr3_of(Mfn{0xabc}, user));
    EXPECT_FALSE(anything_old());
}

TEST_P(TlbTags, NewUserTablesForgetTheOldOnes)
{
    tlb_tags::forget_user();
    write_cr3(tlb_tags::cr3_of(Mfn{0xdef}, user));
    EXPECT_FALSE(tlb.knows(tag_of(user), user_va));
    EXPECT_FALSE(tlb.knows(tag_of(user), both_va));
}

TEST_P(TlbTags, APageIsForgottenInBothModes)
{
    tlb_tags::forget_page(both_va + 0x123);
    EXPECT_FALSE(tlb.knows(tag_of(kernel), both_va));
    write_cr3(user_cr3);
    EXPECT_FALSE(tlb.knows(tag_of(user), both_va));
    EXPECT_EQ(tlb.knows(tag_of(user), user_va), GetParam()) << "and only that page";
}

TEST_P(TlbTags, AnAddressThatIsNoneIsHarmless)
{
    for (u64 va : {u64{1} << 47, u64{1} << 63, u64{0xffff'7fff'ffff'f000}})
        tlb_tags::forget_page(va);
}

INSTANTIATE_TEST_SUITE_P(Cpu, TlbTags, testing::Bool(), [](auto& info) { return info.param ? "WithPcid" : "WithoutPcid"; });

} // namespace
