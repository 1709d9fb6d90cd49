// sysctl: the machine as a whole, for the control tools: processors, memory, scheduler, CPUID policies, the list of domains, the log.
#include "argument.hpp"
#include "cpu_bitmap.hpp"
#include "cpu_policy.hpp"
#include "domctl/request.hpp"
#include <abi/sysctl.h>
#include <tenon/arch/machine.hpp>
#include <tenon/console.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon {
namespace {

using Payload = decltype(xen_sysctl::u);
using hypercall::on, hypercall::only_if;

/// The log that dom0 reads.
Status read_console(Payload& u)
{
    auto& request = u.readconsole;
    char text[256];
    u32 from = request.incremental ? request.index : console::ring_start(), done = 0;
    while (done < request.count) {
        auto part = console::read_ring(from, text, min(request.count - done, u32{sizeof text}));
        if (!part.count)
            break;
        TRY(GuestPtr<char>(request.buffer + done).write_array(text, part.count));
        done += part.count;
        from = part.next;
    }
    if (request.clear)
        console::clear_ring(from);
    request.index = from;
    request.count = done;
    return success;
}

/// Keys that make Tenon write something into the log.
Status debug_keys(Payload& u)
{
    constexpr u32 most = 16;
    if (u.debug_keys.nr_keys > most)
        return Error::toobig;
    for (u32 i = 0; i < u.debug_keys.nr_keys; i++)
        console::press_key(TRY(hypercall::read<char>(u.debug_keys.keys + i)));
    return success;
}

void physical_info(Payload& u)
{
    const auto& cpus = arch::processor_info();
    auto memory = frame_allocator::stats();
    xen_sysctl_physinfo& info = u.physinfo = {};
    info.threads_per_core = cpus.threads_per_core;
    info.cores_per_socket = cpus.cores_per_socket;
    info.nr_cpus = arch::online_cpus().count();
    info.max_cpu_id = info.nr_cpus - 1;
    info.nr_nodes = 1;
    info.cpu_khz = cpus.khz;
    info.capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1;
    info.total_pages = memory.total;
    info.free_pages = memory.free;
    info.max_mfn = frame_table::end - 1;
    __builtin_memcpy(info.hw_cap, cpus.features, sizeof info.hw_cap);
}

Status cpu_topology(Payload& u)
{
    auto& request = u.cputopoinfo;
    u32 count = arch::online_cpus().count();
    if (request.cputopo)
        count = min(count, request.num_cpus);
    for (u32 cpu = 0; request.cputopo && cpu < count; cpu++) {
        auto at = arch::cpu_place(CpuId{cpu});
        TRY((GuestPtr<xen_sysctl_cputopo>(request.cputopo) + cpu).write({at.core, at.socket, 0}));
    }
    request.num_cpus = count;
    return success;
}

/// The machine is always one node.
Status numa_info(Payload& u)
{
    auto& request = u.numainfo;
    if ((request.meminfo || request.distance) && !request.num_nodes)
        return success;
    auto memory = frame_allocator::stats();
    constexpr u32 distance_to_itself = 10; // [ACPI 5.2.17]
    if (request.meminfo)
        TRY(GuestPtr<xen_sysctl_meminfo>(request.meminfo).write({memory.total << page_shift, memory.free << page_shift}));
    if (request.distance)
        TRY(GuestPtr<u32>(request.distance).write(distance_to_itself));
    request.num_nodes = 1;
    return success;
}

/// Tenon keeps no list of the devices, and a machine of one node has nothing to tell of them: as Xen says it then.
Status pci_topology(Payload& u)
{
    auto& request = u.pcitopoinfo;
    constexpr u32 most = 4096; // a longer list comes in pieces
    request.num_devs = min(request.num_devs, most);
    for (u32 i = 0; i < request.num_devs; i++)
        TRY((GuestPtr<u32>(request.nodes) + i).write(XEN_INVALID_NODE_ID));
    return success;
}

/// Free memory as a whole: which part of it lies below an address is not counted apart.
Status available_heap(Payload& u)
{
    u.availheap.avail_bytes = frame_allocator::stats().free << page_shift;
    return only_if(u.availheap.node <= 0, Error::inval);
}

Status list_domains(Payload& u)
{
    auto& request = u.getdomaininfolist;
    constexpr u32 most = 1024; // a longer list comes in pieces
    u32 count = 0, limit = min(request.max_domains, most);
    for (u32 first = request.first_domain; count < limit; count++) {
        DomainRef domain = domains::next(first);
        if (!domain)
            break;
        TRY((GuestPtr<xen_domctl_getdomaininfo>(request.buffer) + count).write(domctls::describe(*domain)));
        first = domain->id.raw() + 1u;
    }
    request.num_domains = count;
    return success;
}

/// The scheduler is shown as the public "credit2", because its parameters (weight, cap) mean the same. No rate limit is applied: it
/// reads as 0, and only 0 can be set.
Status scheduler_op(Payload& u)
{
    auto& op = u.scheduler_op;
    if (op.sched_id != XEN_SCHEDULER_CREDIT2 || op.cpupool_id != 0 || op.cmd > XEN_SYSCTL_SCHEDOP_getinfo)
        return Error::inval;
    if (op.cmd == XEN_SYSCTL_SCHEDOP_getinfo)
        op.u.sched_credit2.ratelimit_us = 0;
    return only_if(op.u.sched_credit2.ratelimit_us == 0, Error::notsup);
}

/// All CPUs and all domains are in pool 0.
Status cpu_pool(Payload& u)
{
    auto& op = u.cpupool_op;
    switch (op.op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO: // the first pool at or above the number
        if (op.cpupool_id != 0 && op.cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
            return Error::noent;
        op.cpupool_id = 0;
        op.sched_id = XEN_SCHEDULER_CREDIT2;
        op.n_dom = 0;
        for (DomainRef domain = domains::next(0); domain; domain = domains::next(domain->id.raw() + 1u))
            op.n_dom++;
        return write_cpus(op.cpumap, arch::online_cpus());
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO: return write_cpus(op.cpumap, CpuSet{});
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: return only_if(op.cpupool_id == 0, Error::notsup);
    default: return Error::notsup;
    }
}

/// Word n of a feature set. [public header arch-x86/cpufeatureset.h]
constexpr u32 none = XEN_CPUID_NO_SUBLEAF;
constexpr struct {
    u32 leaf, subleaf, xen_cpuid_leaf::*reg;
} feature_words[] = {
    {0x1, none, &xen_cpuid_leaf::d},        {0x1, none, &xen_cpuid_leaf::c},        {0x80000001, none, &xen_cpuid_leaf::d},
    {0x80000001, none, &xen_cpuid_leaf::c}, {0xd, 1, &xen_cpuid_leaf::a},           {0x7, 0, &xen_cpuid_leaf::b},
    {0x7, 0, &xen_cpuid_leaf::c},           {0x80000007, none, &xen_cpuid_leaf::d}, {0x80000008, none, &xen_cpuid_leaf::b},
    {0x7, 0, &xen_cpuid_leaf::d},           {0x7, 1, &xen_cpuid_leaf::a},           {0x80000021, none, &xen_cpuid_leaf::a},
    {0x7, 1, &xen_cpuid_leaf::b},           {0x7, 2, &xen_cpuid_leaf::d},           {0x7, 1, &xen_cpuid_leaf::c},
    {0x7, 1, &xen_cpuid_leaf::d},
};

u32 feature_word(arch::PolicyIndex which, u32 number)
{
    const auto& word = feature_words[number];
    for (unsigned i = 0; i < arch::cpu_policy_leaves(which); i++)
        if (auto leaf = arch::cpu_policy_leaf(which, i); leaf.leaf == word.leaf && leaf.subleaf == word.subleaf)
            return leaf.*word.reg;
    return 0;
}

/// Policies of hardware-virtualised guests do not exist.
Result<arch::PolicyIndex> find_policy(u32 index)
{
    TRY(only_if(index <= XEN_SYSCTL_cpu_policy_hvm_default, Error::inval));
    TRY(only_if(index != XEN_SYSCTL_cpu_policy_hvm_max && index != XEN_SYSCTL_cpu_policy_hvm_default, Error::notsup));
    return arch::PolicyIndex(index);
}

Status cpu_features(Payload& u)
{
    auto& request = u.cpu_featureset;
    constexpr u32 words = std::size(feature_words);
    constexpr u8 policies[] = {0, 1, 4, 5, 2, 3}; // by XEN_SYSCTL_cpu_featureset_*
    u32 count = request.features ? min(request.nr_features, words) : words;
    if (request.features) {
        TRY(only_if(request.index < std::size(policies), Error::inval));
        const auto which = TRY(find_policy(policies[request.index]));
        for (u32 i = 0; i < count; i++)
            TRY((GuestPtr<u32>(request.features) + i).write(feature_word(which, i)));
    }
    request.nr_features = count;
    return only_if(count == words, Error::nospc);
}

Status cpu_policy(Payload& u)
{
    auto& request = u.cpu_policy;
    TRY(only_if(!request._rsvd, Error::inval));
    const auto which = TRY(find_policy(request.index));
    return hypercall::give_policy(request, arch::cpu_policy_leaves(which), [=](u32 i) { return arch::cpu_policy_leaf(which, i); });
}

struct Row {
    u32 command;
    Status (*run)(Payload&);
};
constexpr Row rows[] = {
    {XEN_SYSCTL_readconsole, read_console},
    {XEN_SYSCTL_physinfo, on<physical_info>},
    {XEN_SYSCTL_sched_id, on<[](Payload& u) { u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2; }>},
    {XEN_SYSCTL_getdomaininfolist, list_domains},
    {XEN_SYSCTL_debug_keys, debug_keys},
    {XEN_SYSCTL_availheap, available_heap},
    {XEN_SYSCTL_cputopoinfo, cpu_topology},
    {XEN_SYSCTL_numainfo, numa_info},
    {XEN_SYSCTL_cpupool_op, cpu_pool},
    {XEN_SYSCTL_scheduler_op, scheduler_op},
    {XEN_SYSCTL_pcitopoinfo, pci_topology},
    // CPUID is answered by software for every guest: nothing has to be levelled in hardware.
    {XEN_SYSCTL_get_cpu_levelling_caps, on<[](Payload& u) { u.cpu_levelling_caps.caps = 0; }>},
    {XEN_SYSCTL_get_cpu_featureset, cpu_features},
    {XEN_SYSCTL_get_cpu_policy, cpu_policy},
};

static_assert(hypercall::rows_differ(rows));

} // namespace

CallResult hypercall::sysctl(Call& call, Privileged, u64 argument)
{
    return control_call<xen_sysctl>(call, argument, XEN_SYSCTL_INTERFACE_VERSION, [](xen_sysctl& op) -> Status {
        const Row* row = find_row(rows, op.cmd);
        return row ? row->run(op.u) : Error::nosys;
    });
}

} // namespace tenon
