// CPUs, time, lock ranks and panics of the host machine.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fake/machine.hpp>
#include <mutex>
#include <tenon/arch/machine.hpp>
#include <tenon/console.hpp>
#include <utility>
#include <vector>

namespace tenon::fake {
namespace {

CpuSet online;
thread_local CpuId my_cpu;
Vcpu* current[max_cpus];
std::atomic<u64> time_ns, timer_at[max_cpus], kicked[max_cpus];
std::atomic<bool> schedule_words[max_cpus], mail_words[max_cpus];
std::atomic<unsigned> calls_to_yield;
void (*spin_hook)();
bool (*idle_hook)();
thread_local std::vector<u8> held_ranks;
std::mutex log_mutex;
std::string log_text;

void keep_log(const char* text, std::size_t length)
{
    std::lock_guard lock(log_mutex);
    log_text.append(text, length);
}

} // namespace

void reset(unsigned cpus)
{
    online = {};
    online.fill(cpus);
    my_cpu = CpuId{0};
    time_ns = 0;
    for (unsigned i = 0; i < max_cpus; i++) {
        current[i] = nullptr;
        timer_at[i] = ~u64{0};
        kicked[i] = 0;
        mail_words[i] = schedule_words[i] = false;
    }
    calls_to_yield = 0;
    spin_hook = nullptr;
    idle_hook = nullptr;
    held_ranks.clear();
    static bool listening = console::add_sink(keep_log);
    (void)listening;
    take_log();
}

void set_cpu(CpuId cpu) { my_cpu = cpu; }
void set_current(Vcpu* vcpu) { current[my_cpu.raw()] = vcpu; }
void set_time(u64 ns) { time_ns = ns; }
void advance_time(u64 ns) { time_ns += ns; }
u64 armed_timer(CpuId cpu) { return timer_at[cpu.raw()]; }
u64 kicks(CpuId cpu) { return kicked[cpu.raw()]; }
void yield_after(unsigned calls) { calls_to_yield = calls; }
void on_spin(void (*hook)()) { spin_hook = hook; }
void on_idle(bool (*hook)()) { idle_hook = hook; }

std::string take_log()
{
    std::lock_guard lock(log_mutex);
    return std::exchange(log_text, {});
}

} // namespace tenon::fake

namespace tenon::arch {
using namespace fake;

CpuId this_cpu_id() { return my_cpu; }
const CpuSet& online_cpus() { return online; }

Vcpu& current_vcpu()
{
    Vcpu* vcpu = current[my_cpu.raw()];
    if (!vcpu) {
        std::fprintf(stderr, "fake: the test set no current vCPU\n");
        std::abort();
    }
    return *vcpu;
}

bool is_loaded_here(const Vcpu& vcpu) { return current[my_cpu.raw()] == &vcpu; }

void spin_wait()
{
    if (spin_hook)
        spin_hook();
}

void lock_rank_enter(u8 rank)
{
    if (!held_ranks.empty() && held_ranks.back() >= rank) {
        std::fprintf(stderr, "fake: lock of rank %u taken while rank %u is held\n", rank, held_ranks.back());
        std::abort();
    }
    held_ranks.push_back(rank);
}

void lock_rank_leave(u8 rank)
{
    if (held_ranks.empty() || held_ranks.back() != rank) {
        std::fprintf(stderr, "fake: lock of rank %u released out of order\n", rank);
        std::abort();
    }
    held_ranks.pop_back();
}

bool should_yield()
{
    if (!held_ranks.empty()) {
        std::fprintf(stderr, "fake: should_yield() with a lock of rank %u held\n", held_ranks.back());
        std::abort();
    }
    unsigned n = calls_to_yield.load();
    while (n && !calls_to_yield.compare_exchange_weak(n, n - 1))
        ;
    return n == 1;
}

bool wait_for_interrupt() { return idle_hook && idle_hook(); }

void kick_cpu(CpuId cpu) { kicked[cpu.raw()]++; }
std::atomic<bool>& mail_waiting(CpuId cpu) { return mail_words[cpu.raw()]; }
std::atomic<bool>& schedule_wanted(CpuId cpu) { return schedule_words[cpu.raw()]; }
u64 now_ns() { return time_ns; }
void arm_cpu_timer(u64 deadline_ns) { timer_at[my_cpu.raw()] = deadline_ns; }

void dump_state_and_stop()
{
    held_ranks.clear();
    throw Panic{take_log()};
}

} // namespace tenon::arch
