// Closing ports. The other end of an interdomain channel becomes unbound again, for the same domain to bind anew.
#include "virq.hpp"
#include <tenon/domain/domain.hpp>

namespace tenon::events {
namespace {

/// The other end of a channel that is being closed.
struct Link {
    DomainRef domain; ///< empty: nothing is linked
    u32 port = 0;
};

/// What a channel was, after it was taken out of use.
struct Closed {
    ChannelState state;
    Link link;
    Pirq pirq;
};

Result<Closed> take_out(Domain& domain, u32 port)
{
    Guard guard(domain.events.lock);
    Channel* channel = domain.events.find(port);
    if (!channel || channel->state == ChannelState::free || channel->state == ChannelState::reserved)
        return Error::inval;
    Closed was{channel->state, {}, Pirq{channel->remote_port}};
    if (was.state == ChannelState::interdomain)
        was.link = {domains::again(*channel->peer), channel->remote_port}; // the link keeps the peer until here
    if (was.state == ChannelState::virq) {
        Vcpu& vcpu = *domain.vcpu(channel->notify_vcpu);
        (is_global(channel->virq) ? domain.events.global_virq : vcpu.virq_port)[channel->virq] = 0;
    }
    channel->state = ChannelState::reserved;
    channel->peer = nullptr;
    return was;
}

void unlink_peer(Domain& domain, u32 port, const Link& link)
{
    Guard guard(link.domain->events.lock);
    Channel& theirs = *link.domain->events.find(link.port);
    if (theirs.peer != &domain || theirs.remote_port != port)
        return; // it is being closed, too
    theirs.peer = nullptr; // a bind that is under way sees this, and fails
    if (theirs.state == ChannelState::interdomain) {
        theirs.state = ChannelState::unbound;
        theirs.remote_domain = domain.id.raw();
        theirs.remote_port = 0;
    }
}

} // namespace

Status close(Domain& domain, u32 port)
{
    Closed was = TRY(take_out(domain, port));
    if (was.link.domain)
        unlink_peer(domain, port, was.link);
    if (was.state == ChannelState::pirq)
        pirqs::unbind(domain, was.pirq);
    free_port(domain, port); // now that no sender knows it
    return success;
}

Status close_all(Domain& domain)
{
    unsigned steps = 0;
    for (u32 port = 1; port < EventChannels::max_ports; port++) {
        if (!domain.events.find(port)) {
            port |= EventChannels::bucket_size - 1;
            continue;
        }
        if (close(domain, port).ok() && ++steps % 64 == 0 && arch::should_yield())
            return Error::restart;
    }
    return success;
}

} // namespace tenon::events
