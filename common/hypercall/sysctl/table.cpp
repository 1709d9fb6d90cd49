// sysctl: version check, lookup, and the copy of results back to the tool.
#include "request.hpp"

namespace tenon {
namespace {

struct Row {
    u32 command;
    const char* name;
    CallResult (*run)(sysctls::Request&);
};

constexpr Row rows[] = {
    {XEN_SYSCTL_readconsole, "readconsole", sysctls::read_console},
    {XEN_SYSCTL_physinfo, "physinfo", sysctls::physical_info},
    {XEN_SYSCTL_sched_id, "sched_id", sysctls::scheduler_id},
    {XEN_SYSCTL_getdomaininfolist, "getdomaininfolist", sysctls::list_domains},
    {XEN_SYSCTL_debug_keys, "debug_keys", sysctls::debug_keys},
    {XEN_SYSCTL_availheap, "availheap", sysctls::available_heap},
    {XEN_SYSCTL_cputopoinfo, "cputopoinfo", sysctls::cpu_topology},
    {XEN_SYSCTL_numainfo, "numainfo", sysctls::numa_info},
    {XEN_SYSCTL_cpupool_op, "cpupool_op", sysctls::cpu_pool},
    {XEN_SYSCTL_scheduler_op, "scheduler_op", sysctls::scheduler_op},
    {XEN_SYSCTL_get_cpu_levelling_caps, "get_cpu_levelling_caps", sysctls::levelling_caps},
    {XEN_SYSCTL_get_cpu_featureset, "get_cpu_featureset", sysctls::cpu_features},
    {XEN_SYSCTL_get_cpu_policy, "get_cpu_policy", sysctls::cpu_policy},
};

consteval bool ascending()
{
    for (unsigned i = 1; i < std::size(rows); i++)
        if (rows[i].command <= rows[i - 1].command)
            return false;
    return true;
}
static_assert(ascending(), "two rows have one number, or the order is broken");

} // namespace

CallResult hypercall::sysctl(Call& call, Privileged, u64 argument)
{
    GuestPtr<xen_sysctl> handle(argument);
    auto op = TRY(handle.read());
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return Error::access;
    CallResult result = Error::nosys;
    for (const Row& row : rows)
        if (row.command == op.cmd) {
            sysctls::Request request{call, op};
            result = row.run(request);
        }
    if (result.ok())
        TRY(handle.write(op));
    else if (result.error() == Error::nosys || result.error() == Error::notsup)
        note_refused(call, op.cmd, result.error());
    return result;
}

} // namespace tenon
