// Spin locks with ranks. Hypervisor code runs with interrupts off, so a lock never needs to disable them; while it waits,
// a CPU answers what others ask of it (TLB flushes), which is what makes waiting with interrupts off safe.
#pragma once
#include <atomic>
#include <config.hpp>
#include <tenon/arch/cpu.hpp>

namespace tenon {

/// The lock order: a lock may be taken only while all held locks have a lower rank.
enum class Rank : u8 {
    domain_list = 1,
    domctl,
    domain_build,
    mm,
    grant,
    event_links,
    event,
    pirq,
    irq,
    domain_pages,
    own_map,
    sched,
    timer,
    device_window,
    allocator,
    window,
    console,
};

template <Rank rank> class SpinLock : Pinned {
public:
    void lock()
    {
        if constexpr (config::debug_locks)
            arch::lock_rank_enter(u8(rank));
        if (__atomic_exchange_n(&held_, true, __ATOMIC_ACQUIRE)) [[unlikely]]
            wait();
    }
    /// False when it is held.
    bool try_lock()
    {
        if (__atomic_exchange_n(&held_, true, __ATOMIC_ACQUIRE)) [[unlikely]]
            return false;
        if constexpr (config::debug_locks)
            arch::lock_rank_enter(u8(rank));
        return true;
    }
    void unlock()
    {
        __atomic_store_n(&held_, false, __ATOMIC_RELEASE); // pairs with the acquire in lock()
        if constexpr (config::debug_locks)
            arch::lock_rank_leave(u8(rank));
    }

private:
    RARE_CALL void wait()
    {
        do
            while (__atomic_load_n(&held_, __ATOMIC_RELAXED))
                arch::spin_wait();
        while (__atomic_exchange_n(&held_, true, __ATOMIC_ACQUIRE));
    }
    bool held_ = false; // the builtins, as std::atomic's checks of its order argument are not free
};

template <class Lock> class [[nodiscard]] Guard : Pinned {
public:
    explicit Guard(Lock& lock) : lock_(lock) { lock_.lock(); }
    ~Guard() { lock_.unlock(); }

private:
    Lock& lock_;
};
template <class Lock> Guard(Lock&) -> Guard<Lock>;

} // namespace tenon
