// The architecture's part of domains, vCPUs and frame types, as far as common code sees it. All weak: a test that wants another
// answer defines it.
#include <fake/machine.hpp>
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/grant/table.hpp>
#include <tenon/sched/scheduler.hpp>

#define WEAK [[gnu::weak]]

namespace tenon::arch {

WEAK Status create_domain(Domain&) { return success; }
WEAK void destroy_domain(Domain&) {}
WEAK Status create_vcpu(Vcpu&) { return success; }
WEAK void destroy_vcpu(Vcpu&) {}
WEAK Status relinquish(Domain&) { return success; }
WEAK Status relinquish_frame(Domain&, Frame&) { return success; }

/// Returns at once, as the new vCPU: the test goes on with another arch::current_vcpu().
WEAK void switch_to(Vcpu& prev, Vcpu& next)
{
    next.arch.switches_in++;
    fake::set_current(&next);
    scheduler::finish_switch(prev);
}

WEAK Result<vcpu_info*> map_vcpu_info(Vcpu& vcpu, Mfn mfn, u32 offset)
{
    if (!frame_table::covers(mfn) || !frame_at(mfn).get(vcpu.domain.id))
        return Error::inval;
    if (!get_writable(frame_at(mfn))) {
        frame_at(mfn).put();
        return Error::inval;
    }
    return reinterpret_cast<vcpu_info*>(fake::frame_bytes(mfn) + offset);
}
WEAK void unmap_vcpu_info(Vcpu&, Mfn mfn)
{
    put_writable(frame_at(mfn));
    frame_at(mfn).put();
}
WEAK Status set_vcpu_context(Vcpu& vcpu, const vcpu_guest_context&)
{
    vcpu.initialised = true;
    return success;
}
WEAK void get_vcpu_context(Vcpu&, vcpu_guest_context&) {}
WEAK void log_emulated() {}
WEAK void describe_caller(Vcpu&) {}
WEAK u64 repeat_call(const Call&) { return 0; } // tests run calls by dispatch()

WEAK s16 map_grant(Vcpu&, u64, u32, Mfn) { return 0; }
WEAK s16 unmap_grant(Vcpu&, u64, u32, Mfn) { return 0; }
WEAK void flush_after_unmap(Vcpu&) {}

WEAK bool get_writable(Frame& frame, u32 count)
{
    u64 old = frame.type.load();
    for (;;) {
        TypeWord word{old};
        if (word.count() && word.type() != FrameType::writable)
            return false;
        if (frame.type.compare_exchange_weak(old, TypeWord::of(FrameType::writable, word.count() + count, TypeWord::validated_bit).raw))
            return true;
    }
}
WEAK void put_writable(Frame& frame, bool, u32 count) { frame.type.fetch_sub(count); }

WEAK GuestClock clock_snapshot() { return {.tsc = now_ns(), .ns = now_ns(), .mul = 1u << 31, .shift = 1}; }

WEAK void power_off() {}
WEAK void reboot(bool) {}
WEAK void halt() {}

} // namespace tenon::arch
