// event_channel_op: arguments in, ports out. The FIFO calls are refused, so that guests use the two-level ABI.
#include <abi/event_channel.h>
#include <tenon/hypercall/table.hpp>

namespace tenon::hypercall {
namespace {

template <class T> CallResult give_port(GuestPtr<T> argument, evtchn_port_t T::*member, u32 port, Domain& domain)
{
    if (Status written = argument.at(member).write(port); !written.ok()) {
        (void)events::close(domain, port);
        return written.error();
    }
    return s64{0};
}

CallResult alloc_unbound(Call& call, GuestPtr<evtchn_alloc_unbound> argument)
{
    auto op = TRY(argument.read());
    auto domain = TRY(target_of(call, op.dom));
    DomainId remote{op.remote_dom};
    u32 port = TRY(events::alloc_unbound(*domain, remote == dom_self ? call.domain.id : remote));
    return give_port(argument, &evtchn_alloc_unbound::port, port, *domain);
}

CallResult bind_interdomain(Call& call, GuestPtr<evtchn_bind_interdomain> argument)
{
    auto op = TRY(argument.read());
    auto remote = domains::find_for(call.vcpu, DomainId{op.remote_dom});
    if (!remote)
        return Error::srch;
    u32 port = TRY(events::bind_interdomain(call.domain, *remote, op.remote_port));
    return give_port(argument, &evtchn_bind_interdomain::local_port, port, call.domain);
}

CallResult bind_virq(Call& call, GuestPtr<evtchn_bind_virq> argument)
{
    auto op = TRY(argument.read());
    u32 port = TRY(events::bind_virq(call.domain, op.virq, op.vcpu));
    return give_port(argument, &evtchn_bind_virq::port, port, call.domain);
}

CallResult bind_ipi(Call& call, GuestPtr<evtchn_bind_ipi> argument)
{
    auto op = TRY(argument.read());
    u32 port = TRY(events::bind_ipi(call.domain, op.vcpu));
    return give_port(argument, &evtchn_bind_ipi::port, port, call.domain);
}

CallResult bind_pirq(Call& call, GuestPtr<evtchn_bind_pirq> argument)
{
    auto op = TRY(argument.read());
    u32 port = TRY(events::bind_pirq(call.domain, Pirq{op.pirq}));
    return give_port(argument, &evtchn_bind_pirq::port, port, call.domain);
}

CallResult status(Call& call, GuestPtr<evtchn_status> argument)
{
    auto op = TRY(argument.read());
    auto domain = TRY(target_of(call, op.dom));
    {
        Guard guard(domain->events.lock);
        Channel* channel = domain->events.find(op.port);
        if (!channel)
            return Error::inval;
        op.vcpu = channel->notify_vcpu;
        op.status = EVTCHNSTAT_closed;
        switch (channel->state) {
        case ChannelState::free:
        case ChannelState::reserved:
            break;
        case ChannelState::unbound:
            op.status = EVTCHNSTAT_unbound;
            op.u.unbound.dom = channel->remote_domain;
            break;
        case ChannelState::interdomain:
            op.status = EVTCHNSTAT_interdomain;
            op.u.interdomain.dom = channel->peer->id.raw();
            op.u.interdomain.port = channel->remote_port;
            break;
        case ChannelState::pirq:
            op.status = EVTCHNSTAT_pirq;
            op.u.pirq = channel->remote_port;
            break;
        case ChannelState::virq:
            op.status = EVTCHNSTAT_virq;
            op.u.virq = channel->virq;
            break;
        case ChannelState::ipi:
            op.status = EVTCHNSTAT_ipi;
            break;
        }
    }
    TRY(argument.write(op));
    return s64{0};
}

CallResult reset(Call& call, GuestPtr<evtchn_reset> argument)
{
    auto op = TRY(argument.read());
    auto domain = TRY(target_of(call, op.dom));
    TRY(events::close_all(*domain));
    return s64{0};
}

template <class T> Result<T> read(u64 argument) { return GuestPtr<T>(argument).read(); }

CallResult done(Status status)
{
    if (!status.ok())
        return status.error();
    return s64{0};
}

} // namespace

CallResult event_channel_op(Call& call, u32 command, u64 argument)
{
    switch (command) {
    case EVTCHNOP_send: return done(events::send(call.domain, TRY(read<evtchn_send>(argument)).port));
    case EVTCHNOP_unmask: return done(events::unmask(call.domain, TRY(read<evtchn_unmask>(argument)).port));
    case EVTCHNOP_close: return done(events::close(call.domain, TRY(read<evtchn_close>(argument)).port));
    case EVTCHNOP_status: return status(call, GuestPtr<evtchn_status>(argument));
    case EVTCHNOP_alloc_unbound: return alloc_unbound(call, GuestPtr<evtchn_alloc_unbound>(argument));
    case EVTCHNOP_bind_interdomain: return bind_interdomain(call, GuestPtr<evtchn_bind_interdomain>(argument));
    case EVTCHNOP_bind_virq: return bind_virq(call, GuestPtr<evtchn_bind_virq>(argument));
    case EVTCHNOP_bind_ipi: return bind_ipi(call, GuestPtr<evtchn_bind_ipi>(argument));
    case EVTCHNOP_bind_pirq: return bind_pirq(call, GuestPtr<evtchn_bind_pirq>(argument));
    case EVTCHNOP_reset: return reset(call, GuestPtr<evtchn_reset>(argument));
    case EVTCHNOP_bind_vcpu: {
        auto op = TRY(read<evtchn_bind_vcpu>(argument));
        return done(events::bind_vcpu(call.domain, op.port, op.vcpu));
    }
    default:
        note_refused(call, command, Error::nosys);
        return Error::nosys;
    }
}

} // namespace tenon::hypercall
