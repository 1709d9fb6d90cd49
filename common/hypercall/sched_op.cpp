// sched_op: giving up the CPU, waiting, ending. The vCPU stops on its way back into the guest, not inside the call.
#include <tenon/log.hpp>
#include <tenon/arch/guest.hpp>
#include <abi/sched.h>
#include <tenon/hypercall/table.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon::hypercall {
namespace {

/// Unmasks events and sleeps until one is pending; nothing that arrives between the two is lost.
CallResult block(Vcpu& vcpu)
{
    vcpu_info& info = *vcpu.info;
    std::atomic_ref(info.evtchn_upcall_mask).store(0);
    vcpu.pause |= pause_blocked; // from here on notify_vcpu() wakes us; what came before, we see now
    if (std::atomic_ref(info.evtchn_upcall_pending).load() || vcpu.mail.flags & (mail_upcall | mail_nmi))
        vcpu.pause &= ~u32{pause_blocked};
    else
        scheduler::request(arch::this_cpu_id());
    return s64{0};
}

CallResult poll(Call& call, GuestPtr<sched_poll> argument)
{
    constexpr unsigned max_ports = 128;
    auto op = TRY(argument.read());
    u32 ports[max_ports];
    if (op.nr_ports > max_ports)
        return Error::inval;
    TRY(GuestPtr<u32>(op.ports).read_array(ports, op.nr_ports));
    TRY(events::poll(call.vcpu, ports, op.nr_ports, op.timeout));
    if (!call.vcpu.is_runnable())
        scheduler::request(arch::this_cpu_id());
    return s64{0};
}

CallResult remote_shutdown(Call& call, GuestPtr<sched_remote_shutdown> argument)
{
    TRY(PolicyCheck::control_domain(call.vcpu));
    auto op = TRY(argument.read());
    auto domain = domains::find_for(call.vcpu, DomainId{op.domain_id});
    if (!domain)
        return Error::srch;
    if (&*domain == &call.domain)
        return Error::perm;
    domains::shut_down(*domain, u8(op.reason));
    return s64{0};
}

} // namespace

CallResult sched_op(Call& call, u32 command, u64 argument)
{
    switch (command) {
    case SCHEDOP_yield:
        scheduler::yield_current();
        return s64{0};
    case SCHEDOP_block:
        return block(call.vcpu);
    case SCHEDOP_shutdown: {
        u8 reason = u8(TRY(GuestPtr<sched_shutdown>(argument).read()).reason);
        if (reason == SHUTDOWN_crash) {
            log_error("d%uv%u says that it crashed", call.domain.id.raw(), call.vcpu.id.raw());
            arch::describe_caller(call.vcpu);
        }
        domains::shut_down(call.domain, reason);
        return s64{0};
    }
    case SCHEDOP_shutdown_code: {
        auto op = TRY(GuestPtr<sched_shutdown>(argument).read());
        Guard guard(call.domain.lock);
        if (call.domain.shutdown_code == ~0u)
            call.domain.shutdown_code = u8(op.reason);
        return s64{0};
    }
    case SCHEDOP_poll:
        return poll(call, GuestPtr<sched_poll>(argument));
    case SCHEDOP_remote_shutdown:
        return remote_shutdown(call, GuestPtr<sched_remote_shutdown>(argument));
    default:
        note_refused(call, command, Error::nosys);
        return Error::nosys;
    }
}

} // namespace tenon::hypercall
