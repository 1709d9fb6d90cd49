// Binding and closing ports. A port that is being closed is reserved: it can receive, but nobody else can bind, close or send
// on it. Links between domains are made and undone under one lock of their own, so that both ends agree; a domain's lock is held
// besides it for one end at a time. The other end of a channel that is closed becomes unbound again, for the same domain to bind anew.
#include <tenon/domain/domain.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::events {
namespace {

constinit SpinLock<Rank::event_links> links;

/// Lets `bind` make the lowest free port what it is to be, under the domain's lock; without success the port stays free.
template <class F> Result<u32> make_port(Domain& domain, F&& bind)
{
    EventChannels& events = domain.events;
    Guard guard(events.lock);
    if (domain.is_dying())
        return Error::inval;
    for (u32& port = events.lowest_free; port < events.port_limit; port++)
        if (Channel& channel = events.channels[port]; channel.state == ChannelState::free) {
            channel.notify_vcpu.store(0, std::memory_order_relaxed);
            TRY(bind(channel, port));
            return port++;
        }
    return Error::nospc;
}

void free_port(Domain& domain, u32 port)
{
    EventChannels& events = domain.events;
    Guard guard(events.lock);
    events.channels[port].state = ChannelState::free;
    if (shared_info* shared = domain.shared_page()) // no sender is left: the next user of the port starts without an event
        std::atomic_ref(shared->evtchn_pending[port / 64]).fetch_and(~bit(port % 64));
    events.lowest_free = min(events.lowest_free, port);
}

void link(Channel& channel, Domain& peer, u32 peer_port)
{
    channel.state = ChannelState::interdomain;
    channel.peer = &peer;
    channel.remote_domain = peer.id.raw();
    channel.remote_port = peer_port;
}

} // namespace

Status init(Domain& domain, u32 port_limit)
{
    domain.events.channels = make_array<Channel>(port_limit);
    if (!domain.events.channels)
        return Error::nomem;
    domain.events.port_limit = port_limit;
    return success;
}

Result<u32> alloc_unbound(Domain& domain, DomainId remote)
{
    if (remote >= first_reserved_domain)
        return Error::inval;
    return make_port(domain, [&](Channel& channel, u32) -> Status {
        channel.state = ChannelState::unbound;
        channel.remote_domain = remote.raw();
        return success;
    });
}

Result<u32> bind_interdomain(Domain& local, Domain& remote, u32 remote_port)
{
    Guard guard(links); // until it is released nobody else takes or closes what is offered
    Channel* offered;
    {
        Guard theirs(remote.events.lock);
        offered = remote.events.find(remote_port);
        if (!offered || offered->state != ChannelState::unbound || offered->remote_domain != local.id.raw())
            return Error::inval;
    }
    u32 port = TRY(make_port(local, [&](Channel& channel, u32) -> Status {
        link(channel, remote, remote_port);
        return success;
    }));
    {
        Guard theirs(remote.events.lock);
        link(*offered, local, port);
    }
    set_pending(local, port); // what the other side sent before counts
    return port;
}

Result<u32> bind_virq(Domain& domain, u32 virq, u32 vcpu)
{
    if (virq >= NR_VIRQS || (is_global(virq) && vcpu != 0))
        return Error::inval;
    Vcpu* target = domain.vcpu(vcpu);
    if (!target)
        return Error::noent;
    return make_port(domain, [&](Channel& channel, u32 port) -> Status {
        u32& bound = is_global(virq) ? domain.events.global_virq[virq] : target->virq_port[virq];
        if (bound)
            return Error::exist;
        bound = port;
        channel.state = ChannelState::virq;
        channel.virq = u8(virq);
        channel.notify_vcpu.store(vcpu, std::memory_order_relaxed);
        return success;
    });
}

Result<u32> bind_ipi(Domain& domain, u32 vcpu)
{
    if (!domain.vcpu(vcpu))
        return Error::noent;
    return make_port(domain, [&](Channel& channel, u32) -> Status {
        channel.state = ChannelState::ipi;
        channel.notify_vcpu.store(vcpu, std::memory_order_relaxed);
        return success;
    });
}

Result<u32> bind_pirq(Domain& domain, Pirq pirq)
{
    return make_port(domain, [&](Channel& channel, u32 port) -> Status {
        TRY(pirqs::bind(domain, pirq, port));
        channel.state = ChannelState::pirq;
        channel.remote_port = pirq.raw();
        return success;
    });
}

Status bind_vcpu(Domain& domain, u32 port, u32 vcpu)
{
    if (!domain.vcpu(vcpu))
        return Error::noent;
    Guard guard(domain.events.lock);
    Channel* channel = domain.events.find(port);
    if (!channel)
        return Error::inval;
    switch (channel->state) {
    case ChannelState::virq:
        if (!is_global(channel->virq))
            return Error::inval;
        break;
    case ChannelState::pirq: // the device's interrupts come where the guest wants them
        pirqs::set_target_cpu(domain, Pirq{channel->remote_port}, domain.vcpu(vcpu)->home());
        break;
    case ChannelState::unbound:
    case ChannelState::interdomain: break;
    default: return Error::inval;
    }
    channel->notify_vcpu.store(vcpu, std::memory_order_relaxed);
    return success;
}

Status close(Domain& domain, u32 port)
{
    Guard guard(links);
    Domain* peer = nullptr; // alive while it is linked: its own end would close the port first
    Channel* channel;
    ChannelState was;
    {
        Guard ours(domain.events.lock);
        channel = domain.events.find(port);
        if (!channel || channel->state == ChannelState::free || channel->state == ChannelState::reserved)
            return Error::inval;
        was = std::exchange(channel->state, ChannelState::reserved);
        if (was == ChannelState::virq) {
            Vcpu& vcpu = *domain.vcpu(channel->notify_vcpu);
            (is_global(channel->virq) ? domain.events.global_virq : vcpu.virq_port)[channel->virq] = 0;
        }
        peer = std::exchange(channel->peer, nullptr);
    }
    if (peer) {
        Guard theirs_locked(peer->events.lock);
        Channel& theirs = peer->events.channels[channel->remote_port];
        theirs.state = ChannelState::unbound;
        theirs.peer = nullptr;
        theirs.remote_domain = domain.id.raw();
        theirs.remote_port = 0;
    }
    if (was == ChannelState::pirq)
        pirqs::unbind(domain, Pirq{channel->remote_port});
    free_port(domain, port); // now that no sender knows it
    return success;
}

Status close_all(Domain& domain)
{
    unsigned steps = 0;
    for (u32 port = 1; port < domain.events.port_limit; port++)
        if (close(domain, port).ok() && ++steps % 64 == 0 && arch::should_yield())
            return Error::restart;
    return success;
}

} // namespace tenon::events
