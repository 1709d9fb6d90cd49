// Binding ports. A port that is being bound is reserved: it can receive, but nobody else can bind, close or send on it. Only one
// domain's lock is held at a time, so each step looks again at what it relies on.
#include "virq.hpp"
#include <tenon/domain/domain.hpp>

namespace tenon::events {

Result<u32> alloc_unbound(Domain& domain, DomainId remote)
{
    if (remote >= first_reserved_domain)
        return Error::inval;
    u32 port = TRY(reserve_port(domain));
    Guard guard(domain.events.lock);
    Channel& channel = *domain.events.find(port);
    channel.state = ChannelState::unbound;
    channel.remote_domain = remote.raw();
    return port;
}

Result<u32> bind_interdomain(Domain& local, Domain& remote, u32 remote_port)
{
    u32 port = TRY(reserve_port(local));
    Channel& ours = *local.events.find(port);
    {
        Guard guard(local.events.lock);
        ours.peer = &remote; // a close of the other end clears this
        ours.remote_domain = remote.id.raw();
        ours.remote_port = remote_port;
    }
    bool accepted = false;
    {
        Guard guard(remote.events.lock);
        Channel* theirs = remote.events.find(remote_port);
        accepted = theirs && theirs->state == ChannelState::unbound && theirs->remote_domain == local.id.raw();
        if (accepted) {
            theirs->state = ChannelState::interdomain;
            theirs->peer = &local;
            theirs->remote_port = port;
        }
    }
    if (accepted) {
        Guard guard(local.events.lock);
        accepted = ours.peer == &remote;
        if (accepted)
            ours.state = ChannelState::interdomain;
    }
    if (!accepted) {
        free_port(local, port);
        return Error::inval;
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
    u32 port = TRY(reserve_port(domain));
    {
        Guard guard(domain.events.lock);
        u32& bound = is_global(virq) ? domain.events.global_virq[virq] : target->virq_port[virq];
        if (!bound) {
            bound = port;
            Channel& channel = *domain.events.find(port);
            channel.state = ChannelState::virq;
            channel.virq = u8(virq);
            channel.notify_vcpu.store(vcpu, std::memory_order_relaxed);
            return port;
        }
    }
    free_port(domain, port);
    return Error::exist;
}

Result<u32> bind_ipi(Domain& domain, u32 vcpu)
{
    if (!domain.vcpu(vcpu))
        return Error::noent;
    u32 port = TRY(reserve_port(domain));
    Guard guard(domain.events.lock);
    Channel& channel = *domain.events.find(port);
    channel.state = ChannelState::ipi;
    channel.notify_vcpu.store(vcpu, std::memory_order_relaxed);
    return port;
}

Result<u32> bind_pirq(Domain& domain, Pirq pirq, u32 flags)
{
    u32 port = TRY(reserve_port(domain));
    if (Status bound = pirqs::bind(domain, pirq, port, flags); !bound.ok()) {
        free_port(domain, port);
        return bound.error();
    }
    Guard guard(domain.events.lock);
    Channel& channel = *domain.events.find(port);
    channel.state = ChannelState::pirq;
    channel.remote_port = pirq.raw();
    return port;
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
        pirqs::set_target_cpu(domain, Pirq{channel->remote_port}, domain.vcpu(vcpu)->cpu);
        break;
    case ChannelState::unbound:
    case ChannelState::interdomain:
        break;
    default:
        return Error::inval;
    }
    channel->notify_vcpu.store(vcpu, std::memory_order_relaxed);
    return success;
}

} // namespace tenon::events
