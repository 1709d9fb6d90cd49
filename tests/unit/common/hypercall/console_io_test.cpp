#include "caller.hpp"
#include <abi/console.h>
#include <tenon/boot/known_options.hpp>
#include <tenon/console.hpp>

using namespace tenon;

namespace {

struct ConsoleIo : HypercallTest {
    s64 write(std::string text)
    {
        kept.push_back(std::vector<char>(text.begin(), text.end()));
        return call(__HYPERVISOR_console_io, CONSOLEIO_write, text.size(), share(kept.back()));
    }
    std::vector<std::vector<char>> kept;
};

TEST_F(ConsoleIo, Dom0WritesAsIs)
{
    EXPECT_EQ(write("one\ntw"), 0);
    EXPECT_EQ(fake::take_log(), "one\ntw");
}

TEST_F(ConsoleIo, GuestsWriteMarkedLines)
{
    become(*guest);
    fake::set_time(1'000'000'000'000);
    EXPECT_EQ(write("hel"), 0);
    EXPECT_EQ(fake::take_log(), "");
    EXPECT_EQ(write("lo\x1b[31m\nnext\n"), 0);
    std::string log = fake::take_log();
    EXPECT_NE(log.find("(d1) hello[31m\n"), std::string::npos) << log;
    EXPECT_NE(log.find("(d1) next\n"), std::string::npos);
}

TEST_F(ConsoleIo, WhatGuestsPrintHasItsOwnThreshold)
{
    become(*guest);
    options::guest_log_level = LogLevel::warning;
    EXPECT_EQ(write("quiet\n"), 0);
    options::guest_log_level = LogLevel::info;
    EXPECT_EQ(fake::take_log(), "");
}

TEST_F(ConsoleIo, GuestsCannotFloodTheLog)
{
    become(*guest);
    fake::set_time(2'000'000'000'000);
    for (int i = 0; i < 2000; i++)
        write("x\n");
    std::string log = fake::take_log();
    auto lines = std::count(log.begin(), log.end(), '\n');
    EXPECT_LE(lines, 501);
    EXPECT_GE(lines, 400);
    fake::advance_time(1'000'000'000);
    write("y\n");
    EXPECT_NE(fake::take_log().find("left out"), std::string::npos);
}

TEST_F(ConsoleIo, ALongWriteYields)
{
    fake::yield_after(2);
    EXPECT_EQ(write(std::string(1000, 'z')), 0);
    EXPECT_EQ(restarts, 1u);
    EXPECT_EQ(fake::take_log(), std::string(1000, 'z'));
}

TEST_F(ConsoleIo, OnlyDom0Reads)
{
    char text[8] = {};
    for (char c : {'a', 'b'})
        console::receive(c);
    EXPECT_EQ(call(__HYPERVISOR_console_io, CONSOLEIO_read, 8, 16), failure(Error::fault)) << "and nothing is lost";
    EXPECT_EQ(call(__HYPERVISOR_console_io, CONSOLEIO_read, 8, share(text)), 2);
    EXPECT_EQ(text[1], 'b');
    EXPECT_EQ(call(__HYPERVISOR_console_io, CONSOLEIO_read, 8, share(text)), 0);
    become(*guest);
    EXPECT_EQ(call(__HYPERVISOR_console_io, CONSOLEIO_read, 8, share(text)), failure(Error::perm));
    EXPECT_EQ(call(__HYPERVISOR_console_io, 7, 0, 0), failure(Error::nosys));
}

} // namespace
