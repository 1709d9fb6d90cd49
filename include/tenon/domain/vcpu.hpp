// A virtual CPU: identity, why it does not run, its mailbox of events, its timers. Registers are in arch.
#pragma once
#include <abi/hypercall.h>
#include <abi/shared_info.h>
#include <atomic>
#include <tenon/guest/handle.hpp>
#include <tenon/sched/entity.hpp>
#include <tenon/time/timer.hpp>
#include <tenon_arch/state.hpp>

namespace tenon {

struct Call;

/// Reasons not to run. A vCPU is runnable when none is set.
enum PauseReason : u32 {
    pause_down = 1,       ///< not brought up, or VCPUOP_down
    pause_blocked = 2,    ///< SCHEDOP_block: until an event is pending
    pause_polling = 4,    ///< SCHEDOP_poll: until a port or the timeout
    pause_domain = 8,     ///< the domain is paused, shut down or dying
    pause_throttled = 16, ///< used up its cap; until the window ends
};

/// What others leave for a vCPU; the CPU that runs it moves it into vcpu_info on the way into the guest.
struct Mailbox {
    std::atomic<u64> selector{0}; ///< bits for evtchn_pending_sel
    std::atomic<u32> flags{0};    ///< Mail bits
};
enum Mail : u32 { mail_upcall = 1, mail_nmi = 2, mail_time = 4, mail_runstate = 8 };

struct Vcpu : Pinned {
    Vcpu(Domain& d, VcpuId i) : domain(d), id(i) {}
    Domain& domain;
    const VcpuId id;
    std::atomic<u32> pause{pause_down};
    std::atomic<bool> is_on_cpu{false};    ///< its state is loaded on `cpu` (running, stopped for now, or not yet switched away)
    std::atomic<CpuId> cpu{};              ///< its home: where it runs, waits or ran last; changed under that queue's lock
    bool initialised = false;              ///< has a context
    std::atomic<bool> context_busy{false}; ///< somebody sets its registers, or where its vcpu_info is
    Mailbox mail;
    Sched sched; ///< the scheduler's part

    /// vcpu_info: dereferenced only while this vCPU's own domain is loaded.
    vcpu_info* info = nullptr;
    Mfn info_mfn = invalid_mfn;
    bool info_registered = false;
    vcpu_info* spare_info = nullptr; ///< for vCPUs beyond shared_info's slots, until they register their own

    GuestPtr<vcpu_runstate_info> runstate_area;
    GuestPtr<vcpu_time_info> time_area;
    vcpu_runstate_info runstate{}; ///< state RUNSTATE_*, times in ns; changed under the home queue's lock
    Timer singleshot, periodic, poll_timeout, throttle;
    u64 period_ns = 0;
    std::atomic<u32> poll_port{0};    ///< 0: any of several
    u32 virq_port[24]{};              ///< per-vCPU VIRQs; 0 not bound; under the domain's event lock
    Mfn deferred_table = invalid_mfn; ///< a table whose release was interrupted and goes on before anything else
    Call* repeat_into = nullptr;      ///< a call of a list is running: who wants to know that it is to run again
    u32 spare_handle = ~0u;           ///< of a grant mapping that ended here: the next one's, without the lock; ~0: none
    ArchVcpu arch;
    u32 calls[ABI_HYPERCALL_COUNT]{}; ///< hypercalls by number; written by the CPU that runs it

    CpuId home() const { return cpu.load(std::memory_order_acquire); }
    bool is_runnable() const { return pause.load(std::memory_order_acquire) == 0; }
};

/// Clears reasons; wakes the vCPU through the scheduler when none is left.
void resume_vcpu(Vcpu& vcpu, u32 reasons);
/// Sets reasons and asks the CPU that runs it to stop; returns at once.
void pause_vcpu_async(Vcpu& vcpu, u32 reasons);
/// Waits until no CPU holds its state. Not for the current vCPU, and not with a lock held.
void wait_until_off_cpu(const Vcpu& vcpu);

/// Leaves mail and makes sure that the vCPU sees it soon: wakes it, or interrupts the CPU it runs on.
void notify_vcpu(Vcpu& vcpu, u32 mail);
/// Moves the current vCPU's mail into its vcpu_info and areas. Called on the way into the guest while Mailbox::flags is set.
void deliver_mail(Vcpu& vcpu);

} // namespace tenon
