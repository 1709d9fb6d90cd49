// A domain's ports: taking one, giving it back.
#include <tenon/domain/domain.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::events {

Result<u32> reserve_port(Domain& domain)
{
    EventChannels& events = domain.events;
    for (;;) {
        u32 port;
        {
            Guard guard(events.lock);
            if (domain.is_dying())
                return Error::inval;
            for (port = events.lowest_free; port < events.port_limit; port++) {
                Channel* channel = events.find(port);
                if (!channel)
                    break;
                if (channel->state != ChannelState::free)
                    continue;
                channel->state = ChannelState::reserved;
                channel->notify_vcpu.store(0, std::memory_order_relaxed);
                events.lowest_free = port + 1;
                return port;
            }
            events.lowest_free = port;
        }
        if (port >= events.port_limit)
            return Error::nospc;
        Channel *bucket = make_array<Channel>(EventChannels::bucket_size), *seen = nullptr; // not under the lock
        if (!bucket)
            return Error::nomem;
        if (!events.bucket[port / EventChannels::bucket_size].compare_exchange_strong(seen, bucket))
            heap::free(bucket);
    }
}

void free_port(Domain& domain, u32 port)
{
    EventChannels& events = domain.events;
    Guard guard(events.lock);
    Channel& channel = *events.find(port);
    channel.state = ChannelState::free;
    channel.virq = 0;
    channel.remote_port = 0;
    channel.peer = nullptr;
    if (shared_info* shared = domain.shared_page()) // no sender is left: the next user of the port starts without an event
        std::atomic_ref(shared->evtchn_pending[port / 64]).fetch_and(~bit(port % 64));
    events.lowest_free = min(events.lowest_free, port);
}

unsigned count_in_use(Domain& domain)
{
    Guard guard(domain.events.lock);
    unsigned count = 0;
    for (u32 port = 1; port < domain.events.port_limit; port++)
        if (Channel* channel = domain.events.find(port))
            count += channel->state != ChannelState::free;
    return count;
}

void free_tables(Domain& domain)
{
    for (auto& bucket : domain.events.bucket)
        heap::free(bucket.exchange(nullptr));
}

} // namespace tenon::events
