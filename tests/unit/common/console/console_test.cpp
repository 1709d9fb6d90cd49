#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <sstream>
#include <tenon/arch/memory.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/console.hpp>
#include <tenon/hypercall/table.hpp>
#include <thread>

using namespace tenon;

void tenon::call_counts::log_all() { log_info("counts"); }

namespace {

struct Console : testing::Test {
    Console()
    {
        fake::reset(2);
        options::log_level = LogLevel::info;
        drain();
    }
    static std::string drain() // the whole ring, as a tool reads it
    {
        std::string all;
        char piece[100];
        u32 at = console::ring_start();
        for (;;) {
            auto [count, next] = console::read_ring(at, piece, sizeof(piece));
            if (!count)
                break;
            all.append(piece, count);
            at = next;
        }
        console::clear_ring(at);
        return all;
    }
    static std::string input()
    {
        char b[1000];
        return {b, console::read_input(b, sizeof(b))};
    }
    static void type(const char* keys)
    {
        for (; *keys; keys++)
            console::receive(*keys);
    }
};

TEST_F(Console, LevelsAndThresholds)
{
    log_error("e %d", 1);
    log_warning("w");
    log_info("i");
    log_debug("d");
    EXPECT_EQ(fake::take_log(), "(TEN) error: e 1\n(TEN) warning: w\n(TEN) i\n");
    command_line::parse("loglvl=none");
    log_warning("w");
    log_error("e\n");
    EXPECT_EQ(fake::take_log(), "(TEN) error: e\n");
    command_line::parse("loglvl=all/all");
    log_debug("d");
    EXPECT_EQ(fake::take_log(), "(TEN) debug: d\n");
}

TEST_F(Console, TimestampsAndLongLines)
{
    command_line::parse("console_timestamps");
    fake::set_time(12'345'678'901);
    log_info("x");
    command_line::parse("no-console_timestamps");
    EXPECT_EQ(fake::take_log(), "(TEN) [   12.345678] x\n");
    log_info("%s", std::string(2000, 'y').c_str());
    std::string line = fake::take_log();
    EXPECT_LT(line.size(), 500u);
    EXPECT_EQ(line.back(), '\n');
}

TEST_F(Console, LogOnce)
{
    for (int i = 0; i < 3; i++)
        log_once(LogLevel::info, "once %d", i);
    EXPECT_EQ(fake::take_log(), "(TEN) once 0\n");
}

TEST_F(Console, RingKeepsTheLatestAndSurvivesOddPositions)
{
    console_write("hello", 5);
    u32 start = console::ring_start();
    char b[16];
    auto [count, next] = console::read_ring(start, b, 3);
    EXPECT_EQ(std::string(b, count), "hel");
    EXPECT_EQ(console::read_ring(next, b, 16).count, 2u);
    EXPECT_EQ(console::read_ring(start + 5, b, 16).count, 0u);
    EXPECT_EQ(console::read_ring(start + 500, b, 16).count, 5u); // never written: from the oldest
    EXPECT_EQ(console::read_ring(start - 500, b, 16).count, 5u);
    console::clear_ring(start + 1000); // never written: nothing happens
    EXPECT_EQ(console::ring_start(), start);
    EXPECT_EQ(drain(), "hello");
    EXPECT_EQ(drain(), "");
    std::string everything;
    for (int i = 0; i < 10000; i++) {
        std::string piece = std::to_string(i) + ",";
        console_write(piece.data(), piece.size());
        everything += piece;
    }
    std::string kept = drain();
    EXPECT_EQ(kept.size(), 32u * 1024);
    EXPECT_EQ(kept, everything.substr(everything.size() - kept.size()));
}

TEST_F(Console, ANewSinkSeesWhatWasWrittenBefore)
{
    console_write("early\n", 6);
    static std::string seen;
    ASSERT_TRUE(console::add_sink([](const char* text, std::size_t n) { seen.append(text, n); }));
    console_write("late\n", 5);
    EXPECT_EQ(seen, "early\nlate\n");
    auto nothing = [](const char*, std::size_t) {};
    EXPECT_TRUE(console::add_sink(nothing));
    EXPECT_TRUE(console::add_sink(nothing));
    EXPECT_FALSE(console::add_sink(nothing));
}

TEST_F(Console, InputGoesToDom0OrToOurKeys)
{
    type("ls\n");
    EXPECT_EQ(input(), "ls\n");
    EXPECT_EQ(input(), "");
    type("q\1\1\1");
    EXPECT_EQ(input(), "q\1\1");
    fake::take_log();
    type("h\1zc");
    std::string log = fake::take_log();
    EXPECT_NE(log.find("(TEN) R: reboot the machine at once\n"), std::string::npos) << log;
    EXPECT_NE(log.find("(TEN) no debug key 'z'\n"), std::string::npos) << log;
    EXPECT_NE(log.find("(TEN) counts\n"), std::string::npos) << log;
    EXPECT_EQ(input(), "");
    type("\1\1\1x\1\1y");
    EXPECT_EQ(input(), "x\1\1y");
    EXPECT_EQ(fake::take_log().find("debug key"), std::string::npos);
    for (int i = 0; i < 2000; i++)
        console::receive('a');
    EXPECT_EQ(input().size(), 512u);
}

TEST_F(Console, LinesOfManyCpusStayWhole)
{
    fake::take_log();
    std::vector<std::thread> threads;
    for (u32 t = 0; t < 4; t++)
        threads.emplace_back([t] {
            fake::set_cpu(CpuId{t});
            for (int i = 0; i < 500; i++)
                log_info("cpu %u %s", t, std::string(40, char('a' + t)).c_str());
        });
    for (auto& t : threads)
        t.join();
    std::istringstream lines(fake::take_log());
    int count = 0;
    for (std::string line; std::getline(lines, line); count++)
        ASSERT_EQ(line.size(), 6u + 6 + 40) << line;
    EXPECT_EQ(count, 2000);
}

// Last: from a panic on, nothing waits for the console any more.
TEST_F(Console, ZPanicSaysWhatAndWhere)
{
    try {
        panic("broken %d", 7);
    } catch (const fake::Panic& p) {
        EXPECT_EQ(p.message, "(TEN) panic on CPU 0: broken 7\n");
    }
    EXPECT_THROW(ASSERT(1 == 2), fake::Panic);
}

} // namespace
