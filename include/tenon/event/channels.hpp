// Event channels of a domain, 2-level ABI. [public header event_channel.h]
// Invariant outside of a bind or close in progress (`links` in event/ports.cpp is held): an interdomain channel's peer is interdomain and
// points back.
#pragma once
#include <abi/shared_info.h>
#include <atomic>
#include <tenon/lib/result.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

struct Domain;
struct Vcpu;

/// EVTCHNSTAT_* of the public interface, and reserved: being closed; belongs to the thread that does it.
enum class ChannelState : u8 { free, unbound, interdomain, pirq, virq, ipi, reserved };

struct Channel {
    ChannelState state = ChannelState::free;
    u8 virq = 0;
    u16 remote_domain = 0; ///< unbound: who may bind; interdomain: the peer
    u32 remote_port = 0;   ///< interdomain: the peer's port; pirq: the pirq
    std::atomic<u32> notify_vcpu{0};
    Domain* peer = nullptr; ///< interdomain: the other end's domain, alive as long as the link
};

struct EventChannels : Pinned {
    static constexpr unsigned max_ports = 4096;
    SpinLock<Rank::event> lock;
    Channel* channels = nullptr; ///< of each port; stay until the domain is freed
    u32 port_limit = 0;          ///< highest port that may be allocated + 1
    u32 lowest_free = 1;         ///< no port below it is free
    std::atomic<u32> pollers{0}; ///< vCPUs in SCHEDOP_poll
    u32 global_virq[24]{};       ///< port of each global VIRQ, 0 not bound
    Channel* find(u32 port) { return port < port_limit ? channels + port : nullptr; }
};

namespace events {

/// VIRQs that belong to the whole domain; the others are one vCPU's.
constexpr bool is_global(unsigned virq) { return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU; }

Result<u32> alloc_unbound(Domain& domain, DomainId remote);
Result<u32> bind_interdomain(Domain& local, Domain& remote, u32 remote_port);
Result<u32> bind_virq(Domain& domain, u32 virq, u32 vcpu);
Result<u32> bind_ipi(Domain& domain, u32 vcpu);
Result<u32> bind_pirq(Domain& domain, Pirq pirq);
Status close(Domain& domain, u32 port);
Status send(Domain& domain, u32 port);
Status unmask(Domain& domain, u32 port);
Status bind_vcpu(Domain& domain, u32 port, u32 vcpu);
/// Closes every port (domain destruction, EVTCHNOP_reset); resumable.
Status close_all(Domain& domain);
/// Makes a new domain's ports; Domain's end frees them.
Status init(Domain& domain, u32 port_limit);

/// Marks a port pending and tells its vCPU. Any context.
void set_pending(Domain& domain, u32 port);
bool is_pending(const Domain& domain, u32 port);
void send_vcpu_virq(Vcpu& vcpu, u32 virq);
/// A global VIRQ goes to the domain that handles it (dom0 unless changed by set_virq_handler). Not with a lock held.
void send_global_virq(u32 virq);
Status set_global_virq_handler(u32 virq, DomainId domain);

/// The current vCPU sleeps until one of the ports is pending or `deadline` (0: none) has passed; it stops on its way out.
Status poll(Vcpu& vcpu, const u32* ports, unsigned count, u64 deadline);

} // namespace events
} // namespace tenon
