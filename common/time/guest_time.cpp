// Writes time into the areas that guests read without asking: the version is odd while an area is being written.
#include <abi/mmu.h>
#include <tenon/arch/cpu.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon {
namespace {

constinit SpinLock<Rank::timer> wallclock_lock;
constinit u64 wallclock_ns = 0; ///< at system time zero

void fence() { std::atomic_thread_fence(std::memory_order_release); }

/// Makes the version odd, lets `write` do its work, makes it even.
template <class F> void versioned(u32& version, F&& write)
{
    std::atomic_ref shared(version);
    u32 odd = shared.load(std::memory_order_relaxed) | 1;
    shared.store(odd, std::memory_order_relaxed);
    fence();
    write();
    shared.store(odd + 1, std::memory_order_release);
}

} // namespace

void guest_time::update_clock(Vcpu& vcpu)
{
    const arch::GuestClock clock = arch::clock_snapshot();
    // No flags: TSC_STABLE would promise that no reader ever needs to compare with other CPUs.
    vcpu_time_info now{0, 0, clock.tsc, clock.ns, clock.mul, clock.shift, 0, {}};
    vcpu_time_info& primary = vcpu.info->time;
    versioned(primary.version, [&] {
        now.version = primary.version;
        primary = now;
    });
    if (vcpu.time_area.is_null())
        return;
    auto version = vcpu.time_area.at(&vcpu_time_info::version);
    (void)version.write(now.version); // an area that is not mapped is the guest's loss
    fence();
    (void)vcpu.time_area.write(now);
    fence();
    (void)version.write(now.version + 1);
}

void guest_time::update_runstate(Vcpu& vcpu)
{
    auto area = vcpu.runstate_area;
    if (area.is_null())
        return;
    const bool marks = vcpu.domain.vm_assist & bit(VMASST_TYPE_runstate_update_flag);
    const auto entry_time = area.at(&vcpu_runstate_info::state_entry_time);
    vcpu_runstate_info now = vcpu.runstate;
    if (marks) {
        now.state_entry_time |= XEN_RUNSTATE_UPDATE;
        (void)entry_time.write(now.state_entry_time);
        fence();
    }
    (void)area.write(now);
    if (marks) {
        fence();
        (void)entry_time.write(now.state_entry_time & ~XEN_RUNSTATE_UPDATE);
    }
}

void guest_time::set_wallclock(u64 ns)
{
    {
        Guard guard(wallclock_lock);
        wallclock_ns = ns;
    }
    for (auto domain = domains::next(0); domain; domain = domains::next(domain->id.raw() + 1u))
        update_wallclock(*domain);
}

void guest_time::update_wallclock(Domain& domain)
{
    Guard guard(wallclock_lock);
    shared_info* shared = domain.shared_page();
    if (!shared)
        return;
    u64 seconds = wallclock_ns / 1'000'000'000 + u64(domain.wallclock_offset);
    versioned(shared->wc_version, [&] {
        shared->wc_sec = u32(seconds);
        shared->wc_sec_hi = u32(seconds >> 32);
        shared->wc_nsec = u32(wallclock_ns % 1'000'000'000);
    });
}

} // namespace tenon
