// sched_op: giving up the CPU, waiting, ending. The vCPU stops on its way back into the guest, not inside the call.
#include "argument.hpp"
#include <abi/sched.h>
#include <tenon/arch/guest.hpp>
#include <tenon/log.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon::hypercall {
namespace {

/// Unmasks events and sleeps until one is pending; nothing that arrives between the two is lost.
void block(Vcpu& vcpu)
{
    vcpu_info& info = *vcpu.info;
    std::atomic_ref(info.evtchn_upcall_mask).store(0);
    vcpu.pause |= pause_blocked; // from here on notify_vcpu() wakes us; what came before, we see now
    if (std::atomic_ref(info.evtchn_upcall_pending).load() || vcpu.mail.flags & (mail_upcall | mail_nmi))
        vcpu.pause &= ~u32{pause_blocked};
    else
        scheduler::request(arch::this_cpu_id());
}

Status poll(Call& call, const sched_poll& op)
{
    constexpr unsigned max_ports = 128;
    u32 ports[max_ports];
    if (op.nr_ports > max_ports)
        return Error::inval;
    TRY(GuestPtr<u32>(op.ports).read_array(ports, op.nr_ports));
    TRY(events::poll(call.vcpu, ports, op.nr_ports, op.timeout));
    if (!call.vcpu.is_runnable())
        scheduler::request(arch::this_cpu_id());
    return success;
}

Status remote_shutdown(Call& call, const sched_remote_shutdown& op)
{
    auto domain = TRY(target_of(call, op.domain_id));
    if (&*domain == &call.domain)
        return Error::perm;
    domains::shut_down(*domain, u8(op.reason));
    return success;
}

Status shutdown(Call& call, const sched_shutdown& op)
{
    if (u8(op.reason) == SHUTDOWN_crash) {
        log_error("d%uv%u says that it crashed", call.domain.id.raw(), call.vcpu.id.raw());
        arch::describe_caller(call.vcpu);
    }
    domains::shut_down(call.domain, u8(op.reason));
    return success;
}

Status set_shutdown_code(Call& call, const sched_shutdown& op)
{
    Guard guard(call.domain.lock);
    if (call.domain.shutdown_code == ~0u)
        call.domain.shutdown_code = u8(op.reason);
    return success;
}

} // namespace

CallResult sched_op(Call& call, u32 command, u64 argument)
{
    switch (command) {
    case SCHEDOP_yield:
        scheduler::yield_current();
        arch::spin_wait(); // who yields waits for somebody, and may do so in a loop that says nothing of it to the CPU
        return s64{0};
    case SCHEDOP_block: block(call.vcpu); return s64{0};
    case SCHEDOP_shutdown: return done(with_argument(shutdown, call, argument));
    case SCHEDOP_shutdown_code: return done(with_argument(set_shutdown_code, call, argument));
    case SCHEDOP_poll: return done(with_argument(poll, call, argument));
    case SCHEDOP_remote_shutdown: return done(with_argument(remote_shutdown, call, argument));
    default: return refuse(call, command, Error::nosys);
    }
}

/// What a guest with nothing to do does.
__attribute__((no_stack_protector)) u64 enter_sched_op(u64 command, u64 argument, u64 arg2, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    if (u32(command) != SCHEDOP_block) [[unlikely]]
        return enter_call<sched_op, __HYPERVISOR_sched_op>(command, argument, arg2, vcpu, arg4, arg3);
    block(vcpu);
    return 0;
}

} // namespace tenon::hypercall
