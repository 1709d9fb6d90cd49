// The console's text before and after it leaves the image: a program of its own, because it leaves once.
#include <fake/machine.hpp>
#include <fake/memory.hpp>
#include <gtest/gtest.h>
#include <string>
#include <tenon/arch/memory.hpp>
#include <tenon/console.hpp>
#include <tenon/hypercall/table.hpp>
#include <tenon/mm/frame_allocator.hpp>

using namespace tenon;

void tenon::call_counts::log_all() {}

namespace {

std::string ring_text()
{
    char text[4096];
    auto [count, next] = console::read_ring(console::ring_start(), text, sizeof text);
    return {text, count};
}

TEST(ConsoleText, StaysTheSameWhenItLeavesTheImage)
{
    fake::reset(1);
    fake::make_memory(1024, 1024);
    console_write("before\n", 7);
    console::receive('x');
    const u64 free = frame_allocator::stats().free;
    console::hide_text();
    EXPECT_EQ(frame_allocator::stats().free, free - pages_for(console::store_bytes)) << "the fake machine's frames stand for the image's";
    console_write("after\n", 6);
    console::receive('y');
    EXPECT_EQ(ring_text(), "before\nafter\n");
    char typed[4];
    EXPECT_EQ(console::read_input(typed, sizeof typed), 2u);
    EXPECT_EQ(std::string(typed, 2), "xy");
    EXPECT_EQ(fake::open_views(), 0);

    // Across pages, and round the ring.
    std::string line(1000, '.');
    line.back() = '\n';
    for (unsigned i = 0; i < 100; i++) {
        line.front() = char('a' + i % 26);
        console_write(line.data(), line.size());
    }
    std::string all;
    for (u32 at = console::ring_start();;) {
        char text[777];
        auto [count, next] = console::read_ring(at, text, sizeof text);
        if (!count)
            break;
        all.append(text, count);
        at = next;
    }
    EXPECT_EQ(all.size(), console::ring_store.size);
    for (unsigned i = 0; i < 32; i++)
        EXPECT_EQ(all[all.size() - (i + 1) * line.size()], char('a' + (99 - i) % 26));
    std::string too_much(console::ring_store.size + 5000, '-');
    too_much.back() = '!';
    console_write(too_much.data(), too_much.size());
    EXPECT_EQ(ring_text().find_first_not_of('-'), std::string::npos);
}

} // namespace
