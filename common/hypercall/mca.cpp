// mca: machine-check reports for the control domain. There are never any to fetch: a machine check stops the machine.
#include <abi/mca.h>
#include <tenon/arch/machine.hpp>
#include <tenon/hypercall/arch_calls.hpp>

namespace tenon::hypercall {
namespace {

/// mcinfo_logical_cpu of the public interface: what its driver looks at, the rest zero.
struct LogicalCpu {
    u32 number, socket;
    u16 core, thread;
    u32 apic_id, cluster_id, cores, cores_active, threads;
    u8 unused[304 - 32];
};
static_assert(sizeof(LogicalCpu) == 304);

CallResult list_cpus(GuestPtr<xen_mc> handle, xen_mc& op)
{
    auto& request = op.u.mc_physcpuinfo;
    const CpuSet& online = arch::online_cpus();
    u32 count = online.count();
    if (request.info) {
        count = min(count, request.ncpus);
        u32 cpu = online.next(0);
        for (u32 i = 0; i < count; i++, cpu = online.next(cpu + 1)) {
            auto place = arch::cpu_place(CpuId{cpu});
            const auto& kind = arch::processor_info();
            LogicalCpu info{};
            info.number = cpu;
            info.socket = place.socket;
            info.core = u16(place.core);
            info.thread = u16(place.thread);
            info.apic_id = place.apic_id;
            info.cores = info.cores_active = kind.cores_per_socket;
            info.threads = kind.threads_per_core;
            TRY((GuestPtr<LogicalCpu>(request.info) + i).write(info));
        }
    }
    request.ncpus = count;
    TRY(handle.write(op));
    return s64{0};
}

} // namespace

CallResult mca(Call& call, Privileged, u64 argument)
{
    GuestPtr<xen_mc> handle(argument);
    auto op = TRY(handle.read());
    if (op.interface_version != XEN_MCA_INTERFACE_VERSION)
        return Error::access;
    switch (op.cmd) {
    case XEN_MC_fetch:
        op.u.mc_fetch.flags = XEN_MC_NODATA;
        TRY(handle.write(op));
        return s64{0};
    case XEN_MC_physcpuinfo: return list_cpus(handle, op);
    default: note_refused(call, op.cmd, Error::nosys); return Error::nosys;
    }
}

} // namespace tenon::hypercall
