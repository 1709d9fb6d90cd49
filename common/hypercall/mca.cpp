// mca: machine-check reports for the control domain. There are never any to fetch: a machine check stops the machine.
#include "argument.hpp"
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

Status list_cpus(xen_mc_physcpuinfo& request)
{
    const CpuSet& online = arch::online_cpus();
    const auto& kind = arch::processor_info();
    u32 count = request.info ? min(online.count(), request.ncpus) : online.count();
    for (u32 i = 0, cpu = online.next(0); request.info && i < count; i++, cpu = online.next(cpu + 1)) {
        auto place = arch::cpu_place(CpuId{cpu});
        TRY((GuestPtr<LogicalCpu>(request.info) + i)
                .write({cpu,
                        place.socket,
                        u16(place.core),
                        u16(place.thread),
                        place.apic_id,
                        0,
                        kind.cores_per_socket,
                        kind.cores_per_socket,
                        kind.threads_per_core,
                        {}}));
    }
    request.ncpus = count;
    return success;
}

Status run(xen_mc& op)
{
    switch (op.cmd) {
    case XEN_MC_fetch: op.u.mc_fetch.flags = XEN_MC_NODATA; return success;
    case XEN_MC_physcpuinfo: return list_cpus(op.u.mc_physcpuinfo);
    default: return Error::nosys;
    }
}

} // namespace

CallResult mca(Call& call, Privileged, u64 argument) { return control_call<xen_mc>(call, argument, XEN_MCA_INTERFACE_VERSION, run); }

} // namespace tenon::hypercall
