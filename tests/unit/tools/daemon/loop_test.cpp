// The event loop: order, cancelling, and handlers that remove themselves or fail.
#include <tools/daemon/loop.hpp>

#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <thread>

using namespace tenon::tools;
using namespace std::chrono_literals;

namespace {

TEST(Loop, RunsTimersInOrderAndForgetsCancelledOnes)
{
    Loop loop;
    std::string seen;
    Loop::Timer late(loop, 20ms, [&] { seen += "late", loop.stop(); });
    Loop::Timer early(loop, 1ms, [&] { seen += "early "; });
    auto cancelled = std::make_unique<Loop::Timer>(loop, 5ms, [&] { seen += "never"; });
    cancelled.reset();
    loop.run();
    EXPECT_EQ(seen, "early late");
}

TEST(Loop, TakesFunctionsFromOtherThreads)
{
    Loop loop;
    int count = 0;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i)
            loop.post([&] { count += 1; });
        loop.post([&] { loop.stop(); });
    });
    loop.run();
    other.join();
    EXPECT_EQ(count, 1000);
}

TEST(Loop, AHandlerMayRemoveItself)
{
    Loop loop;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    UniqueFd reader(ends[0]), writer(ends[1]);
    std::unique_ptr<Loop::Source> source;
    int calls = 0;
    source = std::make_unique<Loop::Source>(loop, reader.get(), EPOLLIN, [&](std::uint32_t) {
        ++calls;
        source.reset();
    });
    ASSERT_EQ(::write(writer.get(), "xy", 2), 2);
    Loop::Timer end(loop, 20ms, [&] { loop.stop(); });
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST(Loop, GoesOnWhenAHandlerFails)
{
    Loop loop;
    bool went_on = false;
    loop.post([] { throw std::runtime_error("one client's trouble"); });
    loop.post([&] { went_on = true, loop.stop(); });
    loop.run();
    EXPECT_TRUE(went_on);
}

} // namespace
