// epoll, with handlers found by a key that is never used twice: a stale event finds nothing.
#include "loop.hpp"

#include "log.hpp"
#include <tools/lib/error.hpp>

#include <algorithm>
#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace tenon::tools {

namespace {

/// What goes wrong with one client or guest must not end the service for the others.
template <class F, class... Args> void call(const F& function, Args... args)
{
    try {
        function(args...);
    } catch (const std::exception& error) {
        log("unexpected: {}", error.what());
    }
}

} // namespace

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
    if (!epoll_ || !wakeup_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeup_.get(), &event) < 0)
        throw system_error("setting up the event loop");
}

Loop::Source::Source(Loop& loop, int fd, std::uint32_t events, Handler handler)
    : loop_(loop), fd_(fd), key_(++loop.last_key_), events_(events)
{
    epoll_event event{.events = events, .data = {.u64 = key_}};
    if (::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_ADD, fd_, &event) < 0)
        throw system_error("watching a descriptor");
    loop_.sources_[key_] = std::make_shared<Handler>(std::move(handler));
}

Loop::Source::~Source()
{
    loop_.sources_.erase(key_);
    ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
}

void Loop::Source::set_events(std::uint32_t events)
{
    if (events == events_)
        return;
    epoll_event event{.events = events, .data = {.u64 = key_}};
    ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_MOD, fd_, &event);
    events_ = events;
}

Loop::Timer::Timer(Loop& loop, std::chrono::milliseconds delay, Function function)
    : loop_(loop), key_(Clock::now() + delay, ++loop.last_key_)
{
    loop_.timers_[key_] = std::move(function);
}

Loop::Timer::~Timer() { loop_.timers_.erase(key_); }

void Loop::post(Function function)
{
    {
        std::lock_guard lock(mutex_);
        posted_.push_back(std::move(function));
    }
    std::uint64_t one = 1;
    [[maybe_unused]] auto written = ::write(wakeup_.get(), &one, sizeof one); // fails only if already awake
}

int Loop::milliseconds_to_next_timer() const
{
    if (timers_.empty())
        return -1;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.first - Clock::now());
    return static_cast<int>(std::clamp<long>(left.count(), 0, 3600 * 1000));
}

void Loop::run_timers()
{
    auto now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
        auto function = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        call(function);
    }
}

void Loop::run_posted()
{
    std::vector<Function> batch;
    {
        std::lock_guard lock(mutex_);
        batch.swap(posted_);
    }
    for (auto& function : batch)
        call(function);
}

void Loop::run()
{
    for (running_ = true; running_;) {
        epoll_event events[32];
        int count = ::epoll_wait(epoll_.get(), events, 32, milliseconds_to_next_timer());
        for (int i = 0; i < count; ++i) {
            if (events[i].data.u64 == 0) {
                std::uint64_t value;
                [[maybe_unused]] auto got = ::read(wakeup_.get(), &value, sizeof value);
                continue;
            }
            auto found = sources_.find(events[i].data.u64);
            if (found == sources_.end())
                continue;
            auto handler = found->second; // keeps it alive if it removes itself
            call(*handler, events[i].events);
        }
        run_posted();
        run_timers();
    }
}

} // namespace tenon::tools
