// Between the files of this folder: one CPU's run queue and who runs there.
#pragma once
#include <tenon/arch/cpu.hpp>
#include <tenon/sched/fair.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon::scheduler {

struct CpuQueue {
    SpinLock<Rank::sched> lock;
    RunQueue run;
    Vcpu* idle = nullptr;
    Vcpu* current = nullptr;          ///< who runs, or is about to
    std::atomic<bool> wanted{false};  ///< schedule() should be called
    std::atomic<u32> waiting{0};      ///< size of `run`, and its weight with the running one, for a look without the lock
    std::atomic<u64> load{0};
    u64 last_balance = 0;
    Timer slice;                      ///< end of the running vCPU's slice or cap
    void publish()
    {
        waiting.store(run.size(), std::memory_order_relaxed);
        load.store(run.weight() + (current && current != idle ? current->sched.weight : 0), std::memory_order_relaxed);
    }
};

CpuQueue& queue_of(CpuId cpu);
unsigned queue_count();
inline CpuId home_of(const Vcpu& vcpu)
{
    return std::atomic_ref(const_cast<CpuId&>(vcpu.cpu)).load(std::memory_order_acquire);
}

/// Holds the lock of a vCPU's home queue, whichever it is.
class HomeGuard : Pinned {
  public:
    explicit HomeGuard(const Vcpu& vcpu)
    {
        for (;;) {
            cpu_ = home_of(vcpu);
            queue_of(cpu_).lock.lock();
            if (home_of(vcpu) == cpu_)
                return;
            queue_of(cpu_).lock.unlock(); // it moved meanwhile
        }
    }
    ~HomeGuard() { queue_of(cpu_).lock.unlock(); }
    CpuId cpu() const { return cpu_; }
    CpuQueue& operator*() const { return queue_of(cpu_); }
    CpuQueue* operator->() const { return &queue_of(cpu_); }

  private:
    CpuId cpu_;
};

bool may_run_on(const Vcpu& vcpu, CpuId cpu);
/// Accounts the time in the old runstate. Under the home queue's lock.
void set_runstate(Vcpu& vcpu, s32 state, u64 now);
/// The runstate of a vCPU that is not running.
s32 waiting_state(const Vcpu& vcpu);
/// Changes the home of a vCPU that is neither queued nor on a CPU. Under its old home's lock.
void move_home(Vcpu& vcpu, CpuId target);
/// The second half: queues it at `target`, unless somebody else did. No lock held.
void enter_new_home(Vcpu& vcpu, CpuId target, u64 from_clock, u64 now);
/// Takes a waiting vCPU from a busier CPU into this one's queue; false when there is none. No lock held.
/// `only_if_heavier`: this CPU has work, and takes some only from a CPU with a greater load.
bool pull_work(CpuId to, bool only_if_heavier);
/// Tells an idle CPU, if there is one, that it could run this waiting vCPU: it comes and pulls.
bool offer(const Vcpu& vcpu);
/// Asks a CPU to call schedule().
void ask(CpuId cpu);
void set_throttle_handler(Vcpu& vcpu);

/// CPUs that run their idle vCPU. A waker claims one by taking it out.
class IdleCpus {
  public:
    bool claim(CpuId cpu) { return word(cpu).fetch_and(~mask(cpu)) & mask(cpu); }
    void assign(CpuId cpu, bool idle)
    {
        if (bool(word(cpu).load(std::memory_order_relaxed) & mask(cpu)) != idle)
            idle ? word(cpu).fetch_or(mask(cpu)) : word(cpu).fetch_and(~mask(cpu));
    }
    CpuSet snapshot() const
    {
        CpuSet now;
        for (unsigned i = 0; i < CpuSet::words; i++)
            now.set_word(i, words_[i].load(std::memory_order_relaxed));
        return now;
    }
    void reset()
    {
        for (auto& w : words_)
            w = 0;
    }

  private:
    std::atomic<u64>& word(CpuId cpu) { return words_[cpu.raw() / 64]; }
    static u64 mask(CpuId cpu) { return bit(cpu.raw() % 64); }
    std::atomic<u64> words_[CpuSet::words]{};
};
extern IdleCpus idle_cpus;

} // namespace tenon::scheduler
