// event_channel_op: arguments in, ports out. The FIFO calls are refused, so that guests use the two-level ABI.
#include "argument.hpp"
#include <abi/event_channel.h>

namespace tenon::hypercall {
namespace {

/// Makes a port of `owner` and tells its number. A port that nobody can know of is closed again.
template <class T, class Make> CallResult bind(Domain& owner, u64 argument, evtchn_port_t T::*member, Make&& make)
{
    GuestPtr<T> place(argument);
    auto op = TRY(place.read());
    u32 port = TRY(make(op));
    Status written = place.at(member).write(port);
    if (!written.ok())
        (void)events::close(owner, port);
    return done(written);
}

CallResult alloc_unbound(Call& call, u64 argument)
{
    using Op = evtchn_alloc_unbound;
    auto owner = TRY(target_of(call, TRY(GuestPtr<Op>(argument).at(&Op::dom).read())));
    return bind(*owner, argument, &Op::port, [&](const Op& op) {
        DomainId remote{op.remote_dom};
        return events::alloc_unbound(*owner, remote == dom_self ? call.domain.id : remote);
    });
}

CallResult bind_interdomain(Call& call, u64 argument)
{
    using Op = evtchn_bind_interdomain;
    return bind(call.domain, argument, &Op::local_port, [&](const Op& op) -> Result<u32> {
        auto remote = domains::find_for(call.vcpu, DomainId{op.remote_dom});
        return remote ? events::bind_interdomain(call.domain, *remote, op.remote_port) : Error::srch;
    });
}

Status status(Call& call, evtchn_status& op)
{
    auto domain = TRY(target_of(call, op.dom));
    Guard guard(domain->events.lock);
    Channel* channel = domain->events.find(op.port);
    if (!channel)
        return Error::inval;
    op.vcpu = channel->notify_vcpu;
    op.status = channel->state == ChannelState::reserved ? u32{EVTCHNSTAT_closed} : u32(channel->state);
    if (op.status == EVTCHNSTAT_unbound)
        op.u.unbound.dom = channel->remote_domain;
    else if (op.status == EVTCHNSTAT_interdomain)
        op.u.interdomain = {channel->peer->id.raw(), channel->remote_port};
    else if (op.status == EVTCHNSTAT_pirq)
        op.u.pirq = channel->remote_port;
    else if (op.status == EVTCHNSTAT_virq)
        op.u.virq = channel->virq;
    return success;
}

Status reset(Call& call, const evtchn_reset& op) { return events::close_all(*TRY(target_of(call, op.dom))); }

Status bind_vcpu(Call& call, const evtchn_bind_vcpu& op) { return events::bind_vcpu(call.domain, op.port, op.vcpu); }

} // namespace

CallResult event_channel_op(Call& call, u32 command, u64 argument)
{
    Domain& domain = call.domain;
    switch (command) {
    // EVTCHNOP_send: enter_event_channel_op, table.cpp
    case EVTCHNOP_unmask: return done(events::unmask(domain, TRY(read<evtchn_unmask>(argument)).port));
    case EVTCHNOP_close: return done(events::close(domain, TRY(read<evtchn_close>(argument)).port));
    case EVTCHNOP_status: return done(with_argument(status, call, argument));
    case EVTCHNOP_alloc_unbound: return alloc_unbound(call, argument);
    case EVTCHNOP_bind_interdomain: return bind_interdomain(call, argument);
    case EVTCHNOP_bind_virq:
        return bind(domain, argument, &evtchn_bind_virq::port, [&](auto& op) { return events::bind_virq(domain, op.virq, op.vcpu); });
    case EVTCHNOP_bind_ipi:
        return bind(domain, argument, &evtchn_bind_ipi::port, [&](auto& op) { return events::bind_ipi(domain, op.vcpu); });
    case EVTCHNOP_bind_pirq:
        return bind(domain, argument, &evtchn_bind_pirq::port, [&](auto& op) { return events::bind_pirq(domain, Pirq{op.pirq}); });
    case EVTCHNOP_bind_vcpu: return done(with_argument(bind_vcpu, call, argument));
    case EVTCHNOP_reset: return done(with_argument(reset, call, argument));
    default: return refuse(call, command, Error::nosys);
    }
}

} // namespace tenon::hypercall
