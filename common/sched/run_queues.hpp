// Between the files of this folder: one CPU's run queue and who runs there.
#pragma once
#include <tenon/arch/cpu.hpp>
#include <tenon/sched/fair.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon::scheduler {

/// A set of CPUs that all CPUs change and look at without a lock.
class SharedCpuSet {
public:
    /// Takes a CPU out; true for the one who did.
    bool claim(CpuId cpu) { return test(cpu) && word(cpu).fetch_and(~mask(cpu)) & mask(cpu); }
    /// A change is a full barrier: who enters this set and then looks at another one, sees who entered that one before.
    void assign(CpuId cpu, bool member)
    {
        if (test(cpu) != member)
            member ? word(cpu).fetch_or(mask(cpu)) : word(cpu).fetch_and(~mask(cpu));
    }
    bool any() const
    {
        for (auto& w : words_)
            if (w.load(std::memory_order_relaxed))
                return true;
        return false;
    }
    CpuSet snapshot() const
    {
        CpuSet now;
        for (unsigned i = 0; i < CpuSet::words; i++)
            now.set_word(i, words_[i].load(std::memory_order_relaxed));
        return now;
    }

private:
    bool test(CpuId cpu) { return word(cpu).load(std::memory_order_relaxed) & mask(cpu); }
    std::atomic<u64>& word(CpuId cpu) { return words_[cpu.raw() / 64]; }
    static u64 mask(CpuId cpu) { return bit(cpu.raw() % 64); }
    std::atomic<u64> words_[CpuSet::words]{};
};
extern SharedCpuSet idle_cpus;    ///< that run their idle vCPU. Who has work for one claims it.
extern SharedCpuSet crowded_cpus; ///< where somebody waits

struct CpuQueue {
    SpinLock<Rank::sched> lock;
    RunQueue run;
    CpuId cpu{};
    Vcpu* idle = nullptr;
    Vcpu* current = nullptr; ///< who runs, or is about to
    Vcpu* loaded = nullptr;  ///< whose state the CPU holds: `current`, or one that stopped; this CPU's business
    bool is_halted = false;  ///< it runs nothing and keeps `loaded`, for whoever wakes that one
    Timer slice;             ///< end of the running vCPU's slice or cap, or of an earlier one's: it may fire for nothing
    u32 random = 1;
    std::atomic<bool>* wanted = nullptr; ///< the CPU's word: schedule() should be called
    std::atomic<bool> yielded{false};    ///< the current one gives way; its own CPU's business

    // For a look without the lock.
    std::atomic<u32> waiting{0};    ///< size of `run`
    std::atomic<u64> least{0};      ///< the least virtual time of those that run or wait
    std::atomic<u64> decided_at{0}; ///< time of the latest decision
    std::atomic<u16> weight{0};     ///< of the one that runs since then

    /// What waits has changed.
    void publish()
    {
        waiting.store(run.size(), std::memory_order_relaxed);
        crowded_cpus.assign(cpu, run.size() != 0);
    }
    void take_out(Vcpu& vcpu)
    {
        run.remove(vcpu.sched);
        publish();
    }
    /// `running`: nullptr for the idle vCPU.
    void note_decision(const Sched* running, u16 its_weight, u64 now)
    {
        run.advance(running);
        least.store(run.clock(), std::memory_order_relaxed);
        decided_at.store(now, std::memory_order_relaxed);
        weight.store(its_weight, std::memory_order_relaxed);
    }
    /// What `least` is now, unless a decision was made since.
    u64 reached(u64 now) const
    {
        u64 since = decided_at.load(std::memory_order_relaxed), base = least.load(std::memory_order_relaxed);
        bool alone = !waiting.load(std::memory_order_relaxed) && now > since;
        return alone ? base + FairPolicy::weighted(now - since, weight.load(std::memory_order_relaxed)) : base;
    }
};

CpuQueue& queue_of(CpuId cpu);
unsigned queue_count();
inline bool may_run_on(const Vcpu& vcpu, CpuId cpu) { return vcpu.sched.hard_affinity.test(cpu.raw()); }

/// Holds the lock of a vCPU's home queue, whichever it is.
class HomeGuard : Pinned {
public:
    explicit HomeGuard(const Vcpu& vcpu)
    {
        for (;;) {
            queue_ = &queue_of(vcpu.home());
            queue_->lock.lock();
            if (vcpu.home() == queue_->cpu)
                return;
            queue_->lock.unlock(); // it moved meanwhile
        }
    }
    ~HomeGuard() { queue_->lock.unlock(); }
    CpuQueue& operator*() const { return *queue_; }
    CpuQueue* operator->() const { return queue_; }

private:
    CpuQueue* queue_;
};

/// Accounts the time in the old runstate. Under the home queue's lock.
void set_runstate(Vcpu& vcpu, s32 state, u64 now);
/// The runstate of a vCPU that is not running.
s32 waiting_state(const Vcpu& vcpu);
/// Asks a CPU to call schedule().
void ask(CpuId cpu);
/// Queues a runnable vCPU that neither runs nor waits, and sees to it that it runs when it is its turn. No lock held.
/// `is_moved`: its home was chosen; otherwise it slept, and one is chosen now.
void settle(Vcpu& vcpu, bool is_moved);

/// Tells an idle CPU, if there is one, that it could run this waiting vCPU: it comes and pulls.
void offer(const Vcpu& vcpu);
/// The home for a vCPU that wakes.
CpuId choose_home(const Vcpu& vcpu, u64 now);
/// Changes the home of a vCPU that is neither queued nor on a CPU. Under its old home's lock; until it is queued there it could be
/// destroyed: the caller keeps its domain.
void move_home(Vcpu& vcpu, CpuId target);
/// An idle CPU takes a waiting vCPU from another one into its queue; false when there is none. No lock held.
/// `of`: only one of this domain.
bool pull_from_crowded(CpuId to, const Domain* of);
inline bool pull_work(CpuId to, const Domain* of = nullptr) { return crowded_cpus.any() && pull_from_crowded(to, of); }
/// A vCPU that had to stop and waits moves to an idle CPU, or to one whose virtual time is far ahead. The caller keeps its
/// domain. No lock held.
void rebalance(Vcpu& vcpu);

} // namespace tenon::scheduler
