// vcpu_op and set_timer_op: starting and stopping vCPUs, their timers, and the areas they share with us.
#include "argument.hpp"
#include <abi/vcpu.h>
#include <tenon/arch/guest.hpp>
#include <tenon/sched/scheduler.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon::hypercall {
namespace {

// One vCPU of a domain may do this to another, and several at once: Turn lets one through, the others try again.

CallResult initialise(Vcpu& vcpu, GuestPtr<vcpu_guest_context> argument)
{
    Turn turn(vcpu.context_busy);
    if (!turn.taken)
        return Error::restart;
    if (vcpu.spare_info && !vcpu.info_registered)
        return Error::inval; // it would have nowhere to receive events
    if (vcpu.initialised)
        return Error::exist;
    vcpu_guest_context context; // on the stack: registers do not belong on the heap
    TRY(argument.read_array(&context, 1));
    return done(arch::set_vcpu_context(vcpu, context));
}

CallResult register_info(Call& call, Vcpu& vcpu, GuestPtr<vcpu_register_vcpu_info> argument)
{
    auto op = TRY(argument.read());
    Turn turn(vcpu.context_busy);
    if (!turn.taken)
        return Error::restart;
    if (op.offset > page_size - sizeof(vcpu_info) || op.offset % alignof(vcpu_info) || vcpu.info_registered)
        return Error::inval;
    if (&vcpu != &call.vcpu && !(vcpu.pause & pause_down))
        return Error::inval; // it may be using the old place at this moment
    vcpu_info* place = TRY(arch::map_vcpu_info(vcpu, Mfn{op.mfn}, op.offset));
    {
        Guard guard(call.domain.lock);
        *place = *vcpu.info;
        vcpu.info = place;
        vcpu.info_mfn = Mfn{op.mfn};
        vcpu.info_registered = true;
        // The guest may have looked at the old place for the last time: let it look at everything once.
        vcpu.mail.selector.store(~u64{0});
    }
    notify_vcpu(vcpu, mail_upcall | mail_time);
    return s64{0};
}

CallResult register_runstate(Vcpu& vcpu, GuestPtr<vcpu_runstate_info> area)
{
    TRY(area.write(guest_time::runstate_now(vcpu)));
    vcpu.runstate_area = area;
    notify_vcpu(vcpu, mail_runstate);
    return s64{0};
}

CallResult register_time(Vcpu& vcpu, GuestPtr<vcpu_time_info> area)
{
    if (!area.is_null())
        TRY(area.write(vcpu_time_info{}));
    vcpu.time_area = area;
    notify_vcpu(vcpu, mail_time);
    return s64{0};
}

CallResult set_periodic(Vcpu& vcpu, u64 period)
{
    constexpr u64 shortest = 1'000'000, longest = u64{1} << 62;
    if (period && (period < shortest || period > longest))
        return Error::inval;
    std::atomic_ref(vcpu.period_ns).store(period);
    if (period)
        timers::set(vcpu.periodic, arch::now_ns() + period, arch::this_cpu_id());
    else
        timers::cancel(vcpu.periodic);
    return s64{0};
}

/// VIRQ_TIMER at `deadline`, never for 0. A time that is past means now, by the timer's interrupt: guests rely on one event for each call.
CallResult set_singleshot_timer(Vcpu& vcpu, u64 deadline)
{
    if (deadline)
        timers::set(vcpu.singleshot, deadline, arch::this_cpu_id()); // one that is past fires as soon as the guest runs
    else
        timers::cancel(vcpu.singleshot);
    return s64{0};
}

[[gnu::always_inline]] inline CallResult set_singleshot(Vcpu& vcpu, u64 argument)
{
    auto op = TRY(read<vcpu_set_singleshot_timer>(argument));
    if (op.flags & VCPU_SSHOTTMR_future && op.timeout_abs_ns < arch::now_ns())
        return Error::time;
    return set_singleshot_timer(vcpu, max(op.timeout_abs_ns, u64{1}));
}

} // namespace

CallResult vcpu_op(Call& call, u32 command, u32 id, u64 argument)
{
    Vcpu* vcpu = call.domain.vcpu(id);
    if (!vcpu)
        return Error::noent; // guests probe ids in this way: not worth a line in the log
    switch (command) {
    case VCPUOP_initialise: return initialise(*vcpu, GuestPtr<vcpu_guest_context>(argument));
    case VCPUOP_up:
        TRY(only_if(vcpu->initialised, Error::inval));
        resume_vcpu(*vcpu, pause_down);
        return s64{0};
    case VCPUOP_down: pause_vcpu_async(*vcpu, pause_down); return s64{0};
    case VCPUOP_is_up: return s64{!(vcpu->pause & pause_down)};
    case VCPUOP_get_runstate_info: return done(GuestPtr<vcpu_runstate_info>(argument).write(guest_time::runstate_now(*vcpu)));
    case VCPUOP_register_runstate_memory_area:
        return register_runstate(*vcpu, GuestPtr<vcpu_runstate_info>(TRY(read<vcpu_register_runstate_memory_area>(argument)).addr));
    case VCPUOP_set_periodic_timer: return set_periodic(*vcpu, TRY(read<vcpu_set_periodic_timer>(argument)).period_ns);
    case VCPUOP_stop_periodic_timer: return set_periodic(*vcpu, 0);
    case VCPUOP_set_singleshot_timer: return vcpu == &call.vcpu ? set_singleshot(*vcpu, argument) : Error::inval;
    case VCPUOP_stop_singleshot_timer: return vcpu == &call.vcpu ? set_singleshot_timer(*vcpu, 0) : Error::inval;
    case VCPUOP_register_vcpu_info: return register_info(call, *vcpu, GuestPtr<vcpu_register_vcpu_info>(argument));
    case VCPUOP_send_nmi: notify_vcpu(*vcpu, mail_nmi); return s64{0};
    case VCPUOP_register_vcpu_time_memory_area:
        return register_time(*vcpu, GuestPtr<vcpu_time_info>(TRY(read<vcpu_register_time_memory_area>(argument)).addr));
    // The answer would change with every move: vCPUs are not pinned for their guest.
    case VCPUOP_get_physid: return refuse(call, command, Error::inval);
    default: return refuse(call, command, Error::nosys);
    }
}

CallResult set_timer_op(Call& call, u64 deadline) { return set_singleshot_timer(call.vcpu, deadline); }

/// A kernel programs its timer at each interrupt and before each sleep.
__attribute__((no_stack_protector)) u64 enter_vcpu_op(u64 command, u64 id, u64 argument, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    if (u32(command) != VCPUOP_set_singleshot_timer || u32(id) != vcpu.id.raw()) [[unlikely]]
        return enter_call<vcpu_op, __HYPERVISOR_vcpu_op>(command, id, argument, vcpu, arg4, arg3);
    return u64(to_register(set_singleshot(vcpu, argument)));
}

} // namespace tenon::hypercall
