// platform_op and mca: what the control domain asks of the machine below it: time of day, firmware, sleep, physical CPUs.
// Anything Tenon has no use for is refused with the error that Linux takes for "not there".
#include "control.hpp"
#include <abi/mca.h>
#include <abi/platform.h>
#include <tenon/arch/machine.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/log.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon::hypercall {
namespace {

constexpr u64 ns_per_second = 1'000'000'000;

/// The clock showed this time of day when system time was `system_time`.
Status set_time(u64 seconds, u32 nanoseconds, u64 system_time)
{
    constexpr u64 latest = u64{1} << 33; // seconds; beyond it, nanoseconds would soon overflow
    if (nanoseconds >= ns_per_second || seconds >= latest || system_time > seconds * ns_per_second)
        return Error::inval;
    guest_time::set_wallclock(seconds * ns_per_second + nanoseconds - system_time);
    return success;
}

Status efi_info(xenpf_firmware_info& info)
{
    const arch::EfiInfo& efi = arch::efi_info();
    auto& answer = info.u.efi_info;
    if (!efi.config_table)
        return Error::noent;
    switch (info.index) {
    case XEN_FW_EFI_VERSION:
    case XEN_FW_EFI_RT_VERSION: answer.version = efi.revision; return success;
    case XEN_FW_EFI_CONFIG_TABLE: answer.cfg = {efi.config_table, efi.config_entries}; return success;
    case XEN_FW_EFI_VENDOR: {
        u64 room = answer.vendor.bufsz / sizeof(u16), count = min(room, u64{efi.vendor.size()});
        TRY(GuestPtr<u16>(answer.vendor.name).write_array(efi.vendor.data(), count));
        if (count && count < efi.vendor.size()) // cut: the text still ends
            TRY((GuestPtr<u16>(answer.vendor.name) + (count - 1)).write(0));
        answer.vendor.revision = efi.vendor_revision;
        return success;
    }
    default: return Error::inval;
    }
}

Status firmware_info(xenpf_firmware_info& info)
{
    switch (info.type) {
    case XEN_FW_EFI_INFO: return efi_info(info);
    case XEN_FW_KBD_SHIFT_FLAGS: info.u.kbd_shift_flags = arch::keyboard_shift_flags(); return success;
    default: return Error::noent; // the loops over disks and displays end here
    }
}

/// S5 only: the machine's other sleep states would need every CPU's state saved.
Status enter_sleep(const xenpf_enter_acpi_sleep& sleep)
{
    constexpr u32 power_off = 5;
    if (sleep.sleep_state != power_off || sleep.flags & ~u32{XENPF_ACPI_SLEEP_EXTENDED})
        return Error::notsup;
    log_info("the control domain powers the machine off");
    TRY(acpi::enter_sleep(sleep.val_a, sleep.val_b, power_off, sleep.flags & XENPF_ACPI_SLEEP_EXTENDED));
    return Error::io;
}

void cpu_info(xenpf_pcpuinfo& info)
{
    const u32 cpu = info.xen_cpuid, count = arch::online_cpus().count();
    const auto place = cpu < count ? arch::cpu_place(CpuId{cpu}) : arch::CpuPlace{};
    info = {cpu, count - 1, cpu < count ? XEN_PCPU_FLAGS_ONLINE : XEN_PCPU_FLAGS_INVALID, place.apic_id, place.acpi_id};
}

/// mcinfo_logical_cpu of the public interface: what its driver looks at, the rest zero.
struct LogicalCpu {
    u32 number, socket;
    u16 core, thread;
    u32 apic_id, cluster_id, cores, cores_active, threads;
    u8 unused[304 - 32] = {};
};
static_assert(sizeof(LogicalCpu) == 304);

Status list_cpus(xen_mc_physcpuinfo& request)
{
    const auto& kind = arch::processor_info();
    const u32 online = arch::online_cpus().count(), count = request.info ? min(online, request.ncpus) : online;
    for (u32 cpu = 0; request.info && cpu < count; cpu++) {
        const auto at = arch::cpu_place(CpuId{cpu});
        TRY((GuestPtr<LogicalCpu>(request.info) + cpu)
                .write({cpu, at.socket, u16(at.core), u16(at.thread), at.apic_id, 0, kind.cores_per_socket, kind.cores_per_socket,
                        kind.threads_per_core}));
    }
    request.ncpus = count;
    return success;
}

/// There are never any machine checks to fetch: one stops the machine.
Status run_mca(xen_mc& op)
{
    switch (op.cmd) {
    case XEN_MC_fetch: op.u.mc_fetch.flags = XEN_MC_NODATA; return success;
    case XEN_MC_physcpuinfo: return list_cpus(op.u.mc_physcpuinfo);
    default: return Error::nosys;
    }
}

Status run_platform_op(xen_platform_op& op)
{
    switch (op.cmd) {
    case XENPF_settime32: return set_time(op.u.settime32.secs, op.u.settime32.nsecs, op.u.settime32.system_time);
    case XENPF_settime64:
        TRY(only_if(!op.u.settime64.mbz, Error::inval));
        return set_time(op.u.settime64.secs, op.u.settime64.nsecs, op.u.settime64.system_time);
    case XENPF_firmware_info: return firmware_info(op.u.firmware_info);
    case XENPF_enter_acpi_sleep: return enter_sleep(op.u.enter_acpi_sleep);
    case XENPF_get_cpuinfo: cpu_info(op.u.pcpu_info); return success;
    case XENPF_read_memtype: return Error::inval; // no range registers are shown: the guest's loop ends here
    default: return Error::nosys;
    }
}

} // namespace

CallResult platform_op(Call& call, Privileged, u64 argument)
{
    return control_call<xen_platform_op>(call, argument, XENPF_INTERFACE_VERSION, run_platform_op);
}

CallResult mca(Call& call, Privileged, u64 argument) { return control_call<xen_mc>(call, argument, XEN_MCA_INTERFACE_VERSION, run_mca); }

} // namespace tenon::hypercall
