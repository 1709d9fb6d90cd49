// A machine in virtual time for the real scheduler: CPUs with timers and interrupts between them, guests that spin or sleep.
// Nothing takes time but the guests. The scheduler's own work is counted in basic blocks (-fsanitize-coverage=trace-pc).
#pragma once
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <tenon/sched/scheduler.hpp>
#include <vector>

namespace sim {
using namespace tenon;

constexpr u64 us = 1000, ms = 1000 * us, second = 1000 * ms;

/// How often something was done, and how many basic blocks it took.
struct Cost {
    u64 count = 0, sum = 0, most = 0;
    void add(u64 blocks)
    {
        count++;
        sum += blocks;
        most = std::max(most, blocks);
    }
    double mean() const { return count ? double(sum) / double(count) : 0; }
};

/// One vCPU's life: it runs for `burst` of CPU time, then sleeps; a burst of ~0 never ends.
struct Guest {
    Vcpu* vcpu = nullptr;
    std::function<u64()> burst = [] { return ~u64{0}; }, pause = [] { return u64{0}; };
    u64 left = ~u64{0};         ///< of the burst
    u64 entered = 0;            ///< when it got the CPU
    u64 epoch = 0;              ///< its earlier events are void
    u64 woken = 0;              ///< when, as long as it did not run since
    std::vector<u64> latencies; ///< from waking to running
};

class Machine {
public:
    explicit Machine(unsigned cpus, unsigned seed = 1);
    ~Machine();
    /// A domain that runs; its vCPUs spin until told otherwise.
    Domain& add_domain(unsigned vcpus, u16 weight = 256, u16 cap = 0);
    Guest& guest(Vcpu& vcpu) { return guests_[vcpu.mail.selector.load()]; }
    /// It works for `burst()` and sleeps for `pause()`, in turn, beginning with the sleep.
    void set_life(Vcpu& vcpu, std::function<u64()> burst, std::function<u64()> pause);
    void block(Vcpu& vcpu);
    void wake(Vcpu& vcpu);
    void pin(Vcpu& vcpu, unsigned first, unsigned count);
    /// As an interrupt on CPU `cpu`, then the CPU goes where its scheduler sends it.
    void on_cpu(unsigned cpu, const std::function<void()>& action);
    void yield(Vcpu& vcpu);
    void at(u64 time, std::function<void()> action) { push({time, 0, Event::action, 0, 0, std::move(action)}); }
    void run_until(u64 time);
    /// Starts counting anew.
    void forget();
    u64 cpu_time(const Vcpu& vcpu) const;
    bool is_idle(unsigned cpu) const { return current_[cpu] == idle_[cpu].get(); }
    std::vector<std::unique_ptr<Domain>>& domains() { return domains_; }
    unsigned cpus() const { return cpus_; }
    std::mt19937_64 random;
    Cost decision, waking; ///< scheduler::schedule(), a wake-up
    u64 switches = 0, migrations = 0, idle_wakeups = 0;
    std::function<void()> after_each_event;

    // What the fake architecture does.
    unsigned cpu = 0;
    u64 now = 0;
    Vcpu* current() { return current_[cpu]; }
    void arm(u64 deadline);
    void kick(unsigned target) { kicks_.push_back(target); }
    void switch_to(Vcpu& prev, Vcpu& next);

private:
    struct Event {
        u64 time, order;
        enum Kind { timer, burst_over, pause_over, action } kind;
        u64 index, epoch;
        std::function<void()> call;
        bool operator<(const Event& o) const { return time != o.time ? time > o.time : order > o.order; }
    };
    void push(Event event);
    void happen(Event& event);
    void answer(unsigned cpu);
    void enter(Vcpu& vcpu);
    void leave(Vcpu& vcpu);

    unsigned cpus_;
    u64 order_ = 0;
    std::priority_queue<Event> events_;
    std::vector<u64> armed_;
    std::vector<unsigned> kicks_;
    std::unique_ptr<Domain> idle_domain_;
    std::vector<std::unique_ptr<Vcpu>> idle_;
    std::vector<Vcpu*> current_;
    std::vector<CpuId> last_cpu_;
    std::vector<std::unique_ptr<Domain>> domains_;
    std::vector<std::unique_ptr<Vcpu>> vcpus_;
    std::vector<Guest> guests_;
};

} // namespace sim
