// sysctl: processors and memory of the machine, which is always one node.
#include "request.hpp"
#include <tenon/arch/machine.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon::sysctls {
namespace {

u32 highest_cpu()
{
    u32 highest = 0;
    arch::online_cpus().for_each([&](unsigned cpu) { highest = cpu; });
    return highest;
}

} // namespace

CallResult physical_info(Request& r)
{
    const auto& cpus = arch::processor_info();
    auto memory = frame_allocator::stats();
    xen_sysctl_physinfo info{};
    info.threads_per_core = cpus.threads_per_core;
    info.cores_per_socket = cpus.cores_per_socket;
    info.nr_cpus = arch::online_cpus().count();
    info.max_cpu_id = highest_cpu();
    info.nr_nodes = 1;
    info.cpu_khz = cpus.khz;
    info.capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1;
    info.total_pages = memory.total;
    info.free_pages = memory.free;
    info.max_mfn = frame_table::end - 1;
    __builtin_memcpy(info.hw_cap, cpus.features, sizeof info.hw_cap);
    r.op.u.physinfo = info;
    return s64{0};
}

/// One element for each number up to the highest CPU; a null array asks how many.
CallResult cpu_topology(Request& r)
{
    auto& request = r.op.u.cputopoinfo;
    u32 count = highest_cpu() + 1;
    if (request.cputopo) {
        count = min(count, request.num_cpus);
        for (u32 cpu = 0; cpu < count; cpu++) {
            xen_sysctl_cputopo place{XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID, XEN_INVALID_NODE_ID};
            if (arch::online_cpus().test(cpu)) {
                auto at = arch::cpu_place(CpuId{cpu});
                place = {at.core, at.socket, 0};
            }
            TRY((GuestPtr<xen_sysctl_cputopo>(request.cputopo) + cpu).write(place));
        }
    }
    request.num_cpus = count;
    return s64{0};
}

CallResult numa_info(Request& r)
{
    auto& request = r.op.u.numainfo;
    bool asks_for_data = request.meminfo || request.distance;
    if (asks_for_data && !request.num_nodes)
        return s64{0};
    auto memory = frame_allocator::stats();
    constexpr u32 distance_to_itself = 10; // [ACPI 5.2.17]
    if (request.meminfo)
        TRY(GuestPtr<xen_sysctl_meminfo>(request.meminfo).write({memory.total << page_shift, memory.free << page_shift}));
    if (request.distance)
        TRY(GuestPtr<u32>(request.distance).write(distance_to_itself));
    request.num_nodes = 1;
    return s64{0};
}

/// Free memory as a whole: which part of it lies below an address is not counted apart.
CallResult available_heap(Request& r)
{
    auto& request = r.op.u.availheap;
    if (request.node > 0)
        return Error::inval;
    request.avail_bytes = frame_allocator::stats().free << page_shift;
    return s64{0};
}

} // namespace tenon::sysctls
