// Loop: the daemon's one thread: file descriptors, timers, and functions to be called a little later. Other
// threads may post() and nothing else.
#pragma once

#include <tools/lib/unique_fd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace tenon::tools {

class Loop {
public:
    using Clock = std::chrono::steady_clock;
    using Function = std::function<void()>;
    using Handler = std::function<void(std::uint32_t events)>;

    /// Keeps a descriptor watched; not for longer than the loop lives.
    class Source {
    public:
        Source(Loop& loop, int fd, std::uint32_t events, Handler handler);
        Source(const Source&) = delete;
        ~Source();
        void set_events(std::uint32_t events);

    private:
        Loop& loop_;
        int fd_;
        std::uint64_t key_;
        std::uint32_t events_;
    };

    /// Calls a function once, unless it is gone by then.
    class Timer {
    public:
        Timer(Loop& loop, std::chrono::milliseconds delay, Function function);
        Timer(const Timer&) = delete;
        ~Timer();

    private:
        Loop& loop_;
        std::pair<Clock::time_point, std::uint64_t> key_;
    };

    Loop();

    void run();
    void stop() { running_ = false; }
    /// Calls `function` from the loop, not from here.
    void post(Function function);

private:
    int milliseconds_to_next_timer() const;
    void run_timers();
    void run_posted();

    UniqueFd epoll_, wakeup_;
    bool running_ = true;
    std::uint64_t last_key_ = 0;
    std::map<std::uint64_t, std::shared_ptr<Handler>> sources_;
    std::map<std::pair<Clock::time_point, std::uint64_t>, Function> timers_;
    std::mutex mutex_; ///< guards posted_
    std::vector<Function> posted_;
};

} // namespace tenon::tools
