#include <cstring>
#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <random>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>
#include <thread>

using namespace tenon;

namespace tenon {
void frame_released(Frame&) { FAIL() << "the heap's frames are in no list"; }
namespace arch {
bool get_writable(Frame& frame, u32)
{
    frame.type = TypeWord::of(FrameType::writable, 1, TypeWord::validated_bit).raw;
    return true;
}
void put_writable(Frame& frame, bool, u32) { frame.type.fetch_sub(1); }
} // namespace arch
} // namespace tenon

namespace {

u64 pages_in_use() { return frame_allocator::stats().total - frame_allocator::stats().free; }

struct Heap : testing::Test {
    Heap()
    {
        fake::reset(4);
        fake::make_memory(1 << 13, 1 << 13);
        base = pages_in_use();
        free_at_start = frame_allocator::stats().free;
    }
    u64 base, free_at_start;
};

bool all_zero(const void* p, std::size_t n)
{
    for (std::size_t i = 0; i < n; i++)
        if (static_cast<const u8*>(p)[i])
            return false;
    return true;
}

TEST_F(Heap, EverySizeIsZeroedAlignedAndItsOwn)
{
    std::vector<std::pair<u8*, std::size_t>> all;
    for (std::size_t n = 1; n < 9000; n += n < 200 ? 1 : 97) {
        auto* p = static_cast<u8*>(heap::allocate(n));
        ASSERT_NE(p, nullptr);
        EXPECT_EQ(reinterpret_cast<u64>(p) % page_size, 0u);
        ASSERT_TRUE(all_zero(p, n));
        std::memset(p, int(n), n);
        all.emplace_back(p, n);
    }
    for (auto [p, n] : all) {
        for (std::size_t i = 0; i < n; i++)
            ASSERT_EQ(p[i], u8(n));
        heap::free(p);
    }
    heap::free(nullptr);
    EXPECT_EQ(pages_in_use(), base);
    auto* again = static_cast<u8*>(heap::allocate(100));
    EXPECT_TRUE(all_zero(again, 100));
    heap::free(again);
}

TEST_F(Heap, GivesEveryFrameBack)
{
    u64 in_heap = heap::pages();
    for (int round = 0; round < 50; round++) {
        std::vector<void*> all;
        for (int i = 0; i < 300; i++)
            all.push_back(heap::allocate(64));
        all.push_back(heap::allocate(100 * page_size));
        ASSERT_EQ(heap::pages() - in_heap, 400u);
        for (void* p : all)
            heap::free(p);
        ASSERT_EQ(pages_in_use(), base);
    }
    EXPECT_EQ(frame_allocator::stats().free, free_at_start);
}

TEST_F(Heap, FailsCleanlyWithoutMemory)
{
    EXPECT_EQ(heap::allocate(u64{1} << 40), nullptr);
    EXPECT_EQ(heap::allocate(~u64{0}), nullptr);
    EXPECT_EQ(heap::allocate(page_size << 14), nullptr);
    EXPECT_EQ(make_array<u64>(~u64{0} / 4), nullptr);
    EXPECT_EQ(frame_allocator::stats().free, free_at_start);
    while (frame_allocator::allocate(dom_xen, 0).ok()) {
    }
    EXPECT_EQ(heap::allocate(32), nullptr);
    EXPECT_EQ(heap::allocate(5000), nullptr);
    EXPECT_FALSE(allocate_comm_page());
}

TEST_F(Heap, AddressesAreReusedOnlyAfterAFlush)
{
    // An address is its frame's, which nobody gets before the flush; nothing is mapped twice (the fake machine would stop).
    void* first = heap::allocate(40 * page_size);
    heap::free(first);
    u64 freed_at = arch::tlb_clock();
    void* again = nullptr;
    for (int i = 0; i < 300 && again != first; i++) {
        again = heap::allocate(40 * page_size);
        heap::free(again);
    }
    EXPECT_EQ(again, first);
    EXPECT_GE(fake::newest_flush() + 1, freed_at);
    EXPECT_EQ(pages_in_use(), base);
}

TEST_F(Heap, CommPageOutlivesItsMappingWhileAGuestHoldsIt)
{
    CommPage page = allocate_comm_page();
    ASSERT_TRUE(page);
    Mfn mfn = page.mfn;
    *page.as<u64>() = 77;
    EXPECT_EQ(*FrameView<u64>(mfn).get(), 77u);
    EXPECT_EQ(frame_at(mfn).owner_id(), dom_xen);
    EXPECT_EQ(frame_at(mfn).type_word().count(), 1u);
    ASSERT_TRUE(frame_at(mfn).get(dom_xen));
    free_comm_page(page);
    EXPECT_FALSE(page);
    EXPECT_EQ(frame_at(mfn).refs.load(), 1u);
    frame_at(mfn).put();
    EXPECT_EQ(frame_at(mfn).refs.load(), 0u);
    EXPECT_EQ(frame_allocator::stats().free, free_at_start);
    free_comm_page(page); // empty: nothing happens
}

TEST_F(Heap, MakeRunsConstructorsAndDestructors)
{
    struct Thing {
        explicit Thing(int& n) : alive(n) { alive++; }
        ~Thing() { alive--; }
        int& alive;
    };
    int alive = 0;
    Thing* thing = make<Thing>(alive);
    EXPECT_EQ(alive, 1);
    destroy(thing);
    EXPECT_EQ(alive, 0);
}

TEST_F(Heap, PanicsOnADoubleFreeOfPages)
{
    void* p = heap::allocate(5 * page_size);
    heap::free(p);
    EXPECT_THROW(heap::free(p), fake::Panic);
}

TEST_F(Heap, ManyCpusAtOnce)
{
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; t++)
        threads.emplace_back([t] {
            fake::set_cpu(CpuId{t});
            std::mt19937 random(t);
            std::vector<std::pair<u8*, std::size_t>> mine;
            for (int i = 0; i < 4000; i++) {
                if (random() % 2 || mine.empty()) {
                    std::size_t n = random() % 5 ? 16 + random() % 500 : random() % 20000 + 1;
                    auto* p = static_cast<u8*>(heap::allocate(n));
                    ASSERT_TRUE(p && all_zero(p, n));
                    std::memset(p, int(t + 1), n);
                    mine.emplace_back(p, n);
                } else {
                    std::swap(mine[random() % mine.size()], mine.back());
                    auto [p, n] = mine.back();
                    ASSERT_TRUE(p[0] == t + 1 && p[n - 1] == t + 1);
                    heap::free(p);
                    mine.pop_back();
                }
            }
            for (auto [p, n] : mine)
                heap::free(p);
        });
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(pages_in_use(), base);
    fake::audit_frames();
}

} // namespace
