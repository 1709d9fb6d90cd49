// The calls that make, shape and end a domain.
#include "hypervisor_call.hpp"

#include <abi/arch_x86.h>
#include <abi/event_channel.h>
#include <abi/memory.h>
#include <abi/mmu.h>

#include <algorithm>

namespace tenon::tools {

DomainId Hypervisor::create_domain(const Uuid& uuid, unsigned max_vcpus)
{
    auto call = domctl(XEN_DOMCTL_createdomain, 0xffff); // any free number
    auto& create = call.op->u.createdomain;
    std::ranges::copy(uuid, create.handle);
    create.max_vcpus = max_vcpus;
    create.max_evtchn_port = 1023;
    create.max_grant_frames = -1;
    create.max_maptrack_frames = -1;
    create.grant_opts = XEN_DOMCTL_GRANT_version(2);
    if (call.try_call() < 0)
        throw system_error("creating a domain");
    return call.op->domain;
}

void Hypervisor::set_max_vcpus(DomainId id, unsigned vcpus)
{
    auto call = domctl(XEN_DOMCTL_max_vcpus, id);
    call.op->u.max_vcpus.max = vcpus;
    call.call("setting the number of vCPUs");
}

void Hypervisor::set_max_memory(DomainId id, std::uint64_t kib)
{
    auto call = domctl(XEN_DOMCTL_max_mem, id);
    call.op->u.max_mem.max_memkb = kib;
    call.call("setting the memory limit");
}

CpuShare Hypervisor::cpu_share(DomainId id)
{
    auto call = domctl(XEN_DOMCTL_scheduler_op, id);
    auto& op = call.op->u.scheduler_op;
    op.sched_id = XEN_SCHEDULER_CREDIT2;
    op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    call.call("reading the weight and cap");
    return {op.u.credit2.weight, op.u.credit2.cap};
}

void Hypervisor::set_cpu_share(DomainId id, CpuShare share)
{
    auto call = domctl(XEN_DOMCTL_scheduler_op, id);
    auto& op = call.op->u.scheduler_op;
    op.sched_id = XEN_SCHEDULER_CREDIT2;
    op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.credit2.weight = share.weight;
    op.u.credit2.cap = share.cap;
    call.call("setting the weight and cap");
}

void Hypervisor::pause(DomainId id) { domctl(XEN_DOMCTL_pausedomain, id).call("pausing"); }

void Hypervisor::unpause(DomainId id) { domctl(XEN_DOMCTL_unpausedomain, id).call("unpausing"); }

bool Hypervisor::destroy_step(DomainId id)
{
    auto call = domctl(XEN_DOMCTL_destroydomain, id);
    constexpr int restart = 85; // the ABI's ERESTART, which C libraries keep to themselves
    if (call.try_call() >= 0 || errno == ESRCH)
        return true;
    if (errno == EAGAIN || errno == EINTR || errno == restart)
        return false;
    throw system_error(fmt::format("destroying domain {}", id));
}

/// How many of the extents were filled; each holds its first guest frame before, its first machine frame
/// after.
long Hypervisor::populate_some(DomainId id, std::span<Mfn> extents, unsigned order)
{
    HypercallBuffer list(handle_, extents.size_bytes());
    HypercallBuffer argument(handle_, sizeof(xen_memory_reservation));
    std::ranges::copy(extents, list.as<Mfn>());
    auto& reservation = *argument.as<xen_memory_reservation>();
    reservation.extent_start = list.address();
    reservation.nr_extents = extents.size();
    reservation.extent_order = order;
    reservation.domid = id;
    long done = xencall2(handle_, __HYPERVISOR_memory_op, XENMEM_populate_physmap, argument.address());
    if (done > 0)
        std::copy_n(list.as<Mfn>(), std::min<std::size_t>(static_cast<std::size_t>(done), extents.size()), extents.begin());
    return done;
}

std::vector<Mfn> Hypervisor::populate(DomainId id, std::uint64_t pages)
{
    constexpr unsigned big_order = 9, batch = 2048;
    std::vector<Mfn> frames(pages);
    std::uint64_t next = 0;
    auto fill = [&](unsigned order, std::uint64_t end) {
        while (next + (1ull << order) <= end) {
            std::vector<Mfn> extents;
            for (auto at = next; at + (1ull << order) <= end && extents.size() < batch; at += 1ull << order)
                extents.push_back(at);
            auto done = populate_some(id, extents, order);
            for (long i = 0; i < done; ++i, next += 1ull << order)
                for (std::uint64_t k = 0; k < 1ull << order; ++k)
                    frames[next + k] = extents[static_cast<std::size_t>(i)] + k;
            if (done < static_cast<long>(extents.size()))
                return;
        }
    };
    fill(big_order, pages); // as far as there are pieces of 2 MiB
    fill(0, pages);
    if (next < pages)
        throw Error(fmt::format("not enough free memory: domain {} needs {} MiB, only {} MiB could be had", id, pages >> 8, next >> 8));
    return frames;
}

void Hypervisor::set_memory_map(DomainId id, std::uint64_t bytes)
{
    HypercallBuffer entry(handle_, sizeof(xen_e820_entry));
    HypercallBuffer argument(handle_, sizeof(xen_foreign_memory_map));
    *entry.as<xen_e820_entry>() = {.addr = 0, .size = bytes, .type = XEN_E820_RAM};
    auto& map = *argument.as<xen_foreign_memory_map>();
    map.domid = id;
    map.map.nr_entries = 1;
    map.map.buffer = entry.address();
    if (xencall2(handle_, __HYPERVISOR_memory_op, XENMEM_set_memory_map, argument.address()) < 0)
        throw system_error(fmt::format("setting the memory map of domain {}", id));
}

EventPort Hypervisor::allocate_port(DomainId owner, DomainId remote)
{
    HypercallBuffer argument(handle_, sizeof(evtchn_alloc_unbound));
    auto& op = *argument.as<evtchn_alloc_unbound>();
    op.dom = owner;
    op.remote_dom = remote;
    if (xencall2(handle_, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, argument.address()) < 0)
        throw system_error(fmt::format("allocating an event channel of domain {}", owner));
    return op.port;
}

void Hypervisor::fill_hypercall_page(DomainId id, Mfn frame)
{
    auto call = domctl(XEN_DOMCTL_hypercall_init, id);
    call.op->u.hypercall_init.gmfn = frame;
    call.call("filling the hypercall page");
}

void Hypervisor::pin_top_table(DomainId id, Mfn frame)
{
    HypercallBuffer argument(handle_, sizeof(mmuext_op));
    auto& op = *argument.as<mmuext_op>();
    op.cmd = MMUEXT_PIN_L4_TABLE;
    op.arg1.mfn = frame;
    if (xencall4(handle_, __HYPERVISOR_mmuext_op, argument.address(), 1, 0, id) < 0)
        throw system_error(fmt::format("pinning the page tables of domain {}", id));
}

void Hypervisor::set_vcpu_context(DomainId id, unsigned vcpu, const vcpu_guest_context& context)
{
    HypercallBuffer copy(handle_, sizeof context);
    *copy.as<vcpu_guest_context>() = context;
    auto call = domctl(XEN_DOMCTL_setvcpucontext, id);
    call.op->u.vcpucontext.vcpu = vcpu;
    call.op->u.vcpucontext.ctxt = copy.address();
    call.call("setting the vCPU context");
}

} // namespace tenon::tools
