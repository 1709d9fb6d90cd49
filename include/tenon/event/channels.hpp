// Event channels of a domain, 2-level ABI. [public header event_channel.h]
// Invariant outside of a bind or close in progress: an interdomain channel's peer is interdomain and points back.
#pragma once
#include <atomic>
#include <tenon/ids.hpp>
#include <tenon/result.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

struct Domain;
struct Vcpu;

/// reserved: being bound or closed; belongs to the thread that does it.
enum class ChannelState : u8 { free, reserved, unbound, interdomain, pirq, virq, ipi };

struct Channel {
    ChannelState state = ChannelState::free;
    u8 virq = 0;
    u16 remote_domain = 0;   ///< unbound: who may bind; interdomain: the peer
    u32 remote_port = 0;     ///< interdomain: the peer's port; pirq: the pirq
    std::atomic<u32> notify_vcpu{0};
    Domain* peer = nullptr;  ///< interdomain (or reserved for it): the other end's domain, alive as long as the link
};

struct EventChannels : Pinned {
    static constexpr unsigned max_ports = 4096, bucket_size = 128;
    SpinLock<Rank::event> lock;
    std::atomic<Channel*> bucket[max_ports / bucket_size]{}; ///< appear on demand, stay until the domain is freed
    u32 port_limit = max_ports;      ///< highest port that may be allocated + 1
    u32 lowest_free = 1;             ///< no port below it is free
    std::atomic<u32> pollers{0};     ///< vCPUs in SCHEDOP_poll
    u32 global_virq[24]{};           ///< port of each global VIRQ, 0 not bound
    Channel* find(u32 port)          ///< nullptr when the port was never allocated
    {
        if (port >= max_ports)
            return nullptr;
        Channel* in = bucket[port / bucket_size].load(std::memory_order_acquire);
        return in ? in + port % bucket_size : nullptr;
    }
};

namespace events {

Result<u32> alloc_unbound(Domain& domain, DomainId remote);
Result<u32> bind_interdomain(Domain& local, Domain& remote, u32 remote_port);
Result<u32> bind_virq(Domain& domain, u32 virq, u32 vcpu);
Result<u32> bind_ipi(Domain& domain, u32 vcpu);
Result<u32> bind_pirq(Domain& domain, Pirq pirq, u32 flags);
Status close(Domain& domain, u32 port);
Status send(Domain& domain, u32 port);
Status unmask(Domain& domain, u32 port);
Status bind_vcpu(Domain& domain, u32 port, u32 vcpu);
/// Closes every port (domain destruction, EVTCHNOP_reset); resumable.
Status close_all(Domain& domain);
/// Frees the tables of a dead domain.
void free_tables(Domain& domain);
unsigned count_in_use(Domain& domain);

/// Marks a port pending and tells its vCPU. Any context.
void set_pending(Domain& domain, u32 port);
bool is_pending(const Domain& domain, u32 port);
void send_vcpu_virq(Vcpu& vcpu, u32 virq);
/// A global VIRQ goes to the domain that handles it (dom0 unless changed by set_virq_handler). Not with a lock held.
void send_global_virq(u32 virq);
Status set_global_virq_handler(u32 virq, DomainId domain);
/// Kernel-side use of a channel by Tenon itself is not needed yet; a pirq arrives here.
void send_pirq(Domain& domain, u32 port);

/// The current vCPU sleeps until one of the ports is pending or `deadline` (0: none) has passed; it stops on its way out.
Status poll(Vcpu& vcpu, const u32* ports, unsigned count, u64 deadline);

/// Building blocks of this folder: a port taken out of the free ones, and its return.
Result<u32> reserve_port(Domain& domain);
void free_port(Domain& domain, u32 port);

} // namespace events
} // namespace tenon
