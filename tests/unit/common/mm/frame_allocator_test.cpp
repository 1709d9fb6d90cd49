#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <thread>

using namespace tenon;

namespace tenon {
int released;
void frame_released(Frame& frame)
{
    released++;
    frame.next = frame.prev = Frame::unlisted;
}
} // namespace tenon

namespace {

constexpr DomainId guest{7};

void free_block(Mfn first, unsigned order)
{
    for (u64 i = 0; i < bit(order); i++)
        frame_at(first + i).put();
}

struct FrameAllocator : testing::Test {
    FrameAllocator()
    {
        fake::reset(2);
        fake::make_memory(1 << 14, 1 << 14);
        released = 0;
    }
};

TEST_F(FrameAllocator, HandsOutOwnedZeroedFrames)
{
    Mfn mfn = *frame_allocator::allocate(guest, 0);
    EXPECT_TRUE(is_ram(mfn));
    EXPECT_EQ(frame_at(mfn).owner_id(), guest);
    EXPECT_EQ(frame_at(mfn).refs.load(), 1u);
    EXPECT_EQ(frame_at(mfn).type.load(), 0u);
    fake::frame_bytes(mfn)[100] = 42;
    frame_at(mfn).put();
    EXPECT_EQ(released, 0); // in no list
    std::set<u64> seen;
    for (;;) { // whichever order: the written frame comes back zeroed
        auto again = frame_allocator::allocate(guest, 0);
        if (!again)
            break;
        ASSERT_TRUE(seen.insert(again->raw()).second);
        ASSERT_EQ(fake::frame_bytes(*again)[100], 0);
    }
    EXPECT_EQ(seen.size(), (1u << 14) - 1);
    EXPECT_TRUE(seen.count(mfn.raw()));
    EXPECT_FALSE(seen.count(0));
    EXPECT_EQ(frame_allocator::stats().free, 0u);
    fake::audit_frames();
}

TEST_F(FrameAllocator, AlignsBlocksAndMergesThemAgain)
{
    std::vector<std::pair<Mfn, unsigned>> blocks;
    for (unsigned order = 0; order <= 11; order++) {
        Mfn mfn = *frame_allocator::allocate(dom_xen, order);
        EXPECT_EQ(mfn.raw() % (u64{1} << order), 0u);
        blocks.emplace_back(mfn, order);
    }
    fake::audit_frames();
    for (auto [mfn, order] : blocks)
        free_block(mfn, order);
    fake::audit_frames();
    EXPECT_EQ(frame_allocator::stats().free, frame_allocator::stats().total);
    EXPECT_EQ(fake::largest_free_order(), 13);
    EXPECT_EQ(frame_allocator::allocate(dom_xen, 14).error(), Error::nomem);
    EXPECT_EQ(frame_allocator::allocate(dom_xen, 19).error(), Error::nomem);
    EXPECT_EQ(frame_allocator::allocate(dom_xen, ~0u).error(), Error::nomem);
}

TEST_F(FrameAllocator, RespectsAddressLimits)
{
    for (unsigned bits = 0; bits <= 12; bits++)
        EXPECT_FALSE(frame_allocator::allocate(guest, 0, bits).ok()) << bits;
    for (unsigned bits = 13; bits <= 64; bits++) {
        auto mfn = frame_allocator::allocate(guest, 0, bits);
        ASSERT_TRUE(mfn.ok()) << bits;
        if (bits < 64) {
            EXPECT_LT(mfn->raw(), u64{1} << (bits - 12)) << bits;
        }
    }
    auto block = frame_allocator::allocate(guest, 4, 17); // frames 16..31
    ASSERT_TRUE(block.ok());
    EXPECT_EQ(block->raw(), 16u);
    EXPECT_FALSE(frame_allocator::allocate(guest, 4, 17).ok());
    fake::audit_frames();
}

TEST(FrameAllocatorZones, UsesHighMemoryFirst)
{
    fake::reset();
    constexpr u64 four_gib = 1 << 20;
    fake::make_memory(four_gib + 4096, 0, true);
    frame_allocator::add_range(Mfn{four_gib - 4096}, 8192);
    frame_allocator::add_range(Mfn{0}, 1024);
    EXPECT_EQ(frame_allocator::stats().total, 8192u + 1023);
    EXPECT_FALSE(is_ram(Mfn{0}));
    EXPECT_FALSE(is_ram(Mfn{5000}));
    EXPECT_FALSE(is_ram(Mfn{four_gib + 4096}));
    EXPECT_TRUE(is_ram(Mfn{four_gib - 1}));
    for (int i = 0; i < 4096; i++)
        ASSERT_GE(frame_allocator::allocate(guest, 0)->raw(), four_gib);
    for (int i = 0; i < 4096; i++) {
        u64 mfn = frame_allocator::allocate(guest, 0)->raw();
        ASSERT_LT(mfn, four_gib);
        ASSERT_GE(mfn, four_gib - 4096);
    }
    EXPECT_LT(frame_allocator::allocate(guest, 0)->raw(), 1024u);
    EXPECT_LT(frame_allocator::allocate(guest, 0, 24)->raw(), 1024u);
    EXPECT_FALSE(frame_allocator::allocate(guest, 11).ok());
    fake::audit_frames();
}

TEST_F(FrameAllocator, FlushesBeforeReuseAndOnlyThen)
{
    Mfn mfn = *frame_allocator::allocate(guest, 0);
    EXPECT_EQ(fake::tlb_flushes(), 0u);
    frame_at(mfn).put();
    u64 before = arch::tlb_stamp();
    while (frame_allocator::allocate(guest, 0).ok()) {
    }
    EXPECT_EQ(fake::tlb_flushes(), 1u);
    EXPECT_LT(fake::newest_flush(), before);
    EXPECT_GT(fake::newest_flush(), 0u);
}

TEST_F(FrameAllocator, ReportsListedFramesToTheirOwner)
{
    Mfn mfn = *frame_allocator::allocate(guest, 0);
    frame_at(mfn).next = frame_at(mfn).prev = 0;
    EXPECT_TRUE(frame_at(mfn).get(guest));
    EXPECT_FALSE(frame_at(mfn).get(DomainId{8}));
    frame_at(mfn).put();
    EXPECT_EQ(released, 0);
    frame_at(mfn).put();
    EXPECT_EQ(released, 1);
    EXPECT_FALSE(frame_at(mfn).get(guest));
    EXPECT_EQ(frame_allocator::stats().free, frame_allocator::stats().total);
}

TEST_F(FrameAllocator, PanicsOnBrokenInvariants)
{
    Mfn mfn = *frame_allocator::allocate(guest, 0);
    frame_at(mfn).type = TypeWord::of(FrameType::l1, 1).raw;
    EXPECT_THROW(frame_at(mfn).put(), fake::Panic);
    EXPECT_NE(fake::take_log().size(), 1u);
}

TEST_F(FrameAllocator, RandomSequencesKeepTheInvariants)
{
    for (unsigned seed = 0; seed < 20; seed++) {
        std::mt19937 random(seed);
        std::vector<Mfn> singles; // frames of guest blocks are given back one by one
        std::vector<std::pair<Mfn, unsigned>> blocks;
        u64 held = 0;
        for (int step = 0; step < 1500; step++) {
            unsigned what = random() % 10, order = random() % (random() % 8 + 1), bits = random() % 4 ? 64 : 13 + random() % 14;
            if (what < 4) {
                if (auto mfn = frame_allocator::allocate(guest, order, bits); mfn.ok()) {
                    for (u64 i = 0; i < u64{1} << order; i++) {
                        ASSERT_EQ(frame_at(*mfn + i).refs.load(), 1u);
                        ASSERT_EQ(frame_at(*mfn + i).owner_id(), guest);
                        ASSERT_EQ(*fake::frame_bytes(*mfn + i), 0);
                        *fake::frame_bytes(*mfn + i) = 1;
                        singles.push_back(*mfn + i);
                    }
                    held += u64{1} << order;
                }
            } else if (what < 6) {
                if (auto mfn = frame_allocator::allocate(dom_xen, order, bits); mfn.ok()) {
                    blocks.emplace_back(*mfn, order);
                    held += u64{1} << order;
                }
            } else if (what < 9) {
                for (unsigned n = random() % 64; n && !singles.empty(); n--) {
                    std::swap(singles[random() % singles.size()], singles.back());
                    frame_at(singles.back()).put();
                    singles.pop_back();
                    held--;
                }
            } else if (!blocks.empty()) {
                std::swap(blocks[random() % blocks.size()], blocks.back());
                free_block(blocks.back().first, blocks.back().second);
                held -= u64{1} << blocks.back().second;
                blocks.pop_back();
            }
            ASSERT_EQ(frame_allocator::stats().free, frame_allocator::stats().total - held);
            if (step % 100 == 0)
                fake::audit_frames();
        }
        for (Mfn mfn : singles)
            frame_at(mfn).put();
        for (auto [mfn, order] : blocks)
            free_block(mfn, order);
        fake::audit_frames();
        ASSERT_EQ(fake::largest_free_order(), 13);
    }
}

TEST_F(FrameAllocator, ManyCpusAtOnce)
{
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; t++)
        threads.emplace_back([t] {
            fake::set_cpu(CpuId{t});
            DomainId me{u16(t + 1)};
            std::mt19937 random(t);
            std::vector<Mfn> mine;
            for (int i = 0; i < 5000; i++) {
                if (random() % 2 || mine.empty()) {
                    if (auto mfn = frame_allocator::allocate(me, random() % 3 ? 0 : 2); mfn.ok()) {
                        mine.push_back(*mfn);
                        ASSERT_TRUE(frame_at(*mfn).get(me));
                        frame_at(*mfn).put();
                    }
                } else {
                    frame_at(mine.back()).put();
                    mine.pop_back();
                }
            }
        });
    for (auto& t : threads)
        t.join();
    fake::audit_frames();
}

TEST(Frame, StampNeverGoesBack)
{
    Frame frame;
    frame.leave_stamp(6); // taken later than the next, which comes late
    frame.leave_stamp(5);
    EXPECT_EQ(frame.stamp, 6u);
    frame.leave_stamp(7);
    EXPECT_EQ(frame.stamp, 7u);
}

TEST(Frame, OfStampsLeftAtOnceTheLatestStays)
{
    constexpr u64 rounds = 200'000;
    Frame frame;
    std::atomic<u64> clock{1};
    auto drop = [&] {
        for (u64 i = 0; i < rounds; i++)
            frame.leave_stamp(clock++);
    };
    std::thread others[]{std::thread(drop), std::thread(drop)};
    drop();
    for (auto& thread : others)
        thread.join();
    EXPECT_EQ(frame.stamp, clock - 1);
}

} // namespace
