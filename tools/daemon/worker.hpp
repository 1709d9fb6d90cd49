// Worker: one thread beside the loop, for jobs that take long. They run one after another.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tenon::tools {

class Worker {
public:
    Worker() : thread_([this](std::stop_token stop) { run(stop); }) {}

    /// The job must not let exceptions out.
    void submit(std::function<void()> job)
    {
        std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        wakeup_.notify_one();
    }

private:
    void run(std::stop_token stop)
    {
        while (true) {
            std::unique_lock lock(mutex_);
            if (!wakeup_.wait(lock, stop, [this] { return !jobs_.empty(); }))
                return;
            auto job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any wakeup_;
    std::deque<std::function<void()>> jobs_;
    std::jthread thread_; ///< last: it uses the others
};

} // namespace tenon::tools
