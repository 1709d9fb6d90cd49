#include "caller.hpp"
#include <abi/mca.h>
#include <abi/platform.h>
#include <tenon/time/guest_time.hpp>

using namespace tenon;

namespace {

struct PlatformOp : HypercallTest {
    xen_platform_op op{};
    s64 run(u32 command)
    {
        op.cmd = command;
        op.interface_version = XENPF_INTERFACE_VERSION;
        return call(__HYPERVISOR_platform_op, share(op));
    }
};
struct Mca : HypercallTest {};

TEST_F(PlatformOp, ChecksTheVersion)
{
    EXPECT_EQ(call(__HYPERVISOR_platform_op, share(op)), failure(Error::access));
    EXPECT_EQ(run(XENPF_get_symbol), failure(Error::nosys));
    EXPECT_EQ(run(XENPF_efi_runtime_call), failure(Error::nosys));
    EXPECT_EQ(run(XENPF_read_memtype), failure(Error::inval));
}

TEST_F(PlatformOp, SetsTheTimeOfDay)
{
    op.u.settime64 = {1'700'000'000, 500, 0, 2'000'000'000};
    EXPECT_EQ(run(XENPF_settime64), 0);
    EXPECT_EQ(guest->shared_page()->wc_sec, 1'699'999'998u);
    EXPECT_EQ(guest->shared_page()->wc_nsec, 500u);
    op.u.settime64 = {1'700'000'000, 1'000'000'000, 0, 0};
    EXPECT_EQ(run(XENPF_settime64), failure(Error::inval));
    op.u.settime64 = {1'700'000'000, 0, 1, 0};
    EXPECT_EQ(run(XENPF_settime64), failure(Error::inval));
    op.u.settime64 = {~u64{0}, 0, 0, 0};
    EXPECT_EQ(run(XENPF_settime64), failure(Error::inval));
    op.u.settime32 = {1'600'000'000, 0, 0};
    EXPECT_EQ(run(XENPF_settime32), 0);
    EXPECT_EQ(guest->shared_page()->wc_sec, 1'600'000'000u);
    EXPECT_EQ(guest->shared_page()->wc_nsec, 0u);
}

TEST_F(PlatformOp, PowersOffButDoesNotSleep)
{
    op.u.enter_acpi_sleep = {0x2000, 0, 3, 0};
    EXPECT_EQ(run(XENPF_enter_acpi_sleep), failure(Error::notsup));
    EXPECT_EQ(record.slept, 0u);
    op.u.enter_acpi_sleep = {0x2000, 0, 5, 0};
    EXPECT_EQ(run(XENPF_enter_acpi_sleep), failure(Error::io)) << "it came back";
    EXPECT_EQ(record.slept, 1u);
}

TEST_F(PlatformOp, KnowsItsCpus)
{
    op.u.pcpu_info.xen_cpuid = 1;
    EXPECT_EQ(run(XENPF_get_cpuinfo), 0);
    EXPECT_EQ(op.u.pcpu_info.max_present, 1u);
    EXPECT_EQ(op.u.pcpu_info.flags, u32{XEN_PCPU_FLAGS_ONLINE});
    EXPECT_EQ(op.u.pcpu_info.apic_id, 2u);
    op.u.pcpu_info.xen_cpuid = ~0u;
    EXPECT_EQ(run(XENPF_get_cpuinfo), 0);
    EXPECT_EQ(op.u.pcpu_info.flags, u32{XEN_PCPU_FLAGS_INVALID});
}

TEST_F(PlatformOp, FirmwareIsBiosUntilItIsEfi)
{
    auto& f = op.u.firmware_info;
    f = {};
    f.type = XEN_FW_DISK_INFO;
    EXPECT_EQ(run(XENPF_firmware_info), failure(Error::noent));
    f.type = XEN_FW_KBD_SHIFT_FLAGS;
    EXPECT_EQ(run(XENPF_firmware_info), 0);
    EXPECT_EQ(f.u.kbd_shift_flags, 0x20);
    f.type = XEN_FW_EFI_INFO;
    f.index = XEN_FW_EFI_CONFIG_TABLE;
    EXPECT_EQ(run(XENPF_firmware_info), failure(Error::noent));

    static const u16 vendor[] = {'T', 'e', 's', 't', 0};
    record.efi = {0x7f000000, 5, 0x20046, 0x10000, vendor};
    EXPECT_EQ(run(XENPF_firmware_info), 0);
    EXPECT_EQ(f.u.efi_info.cfg.addr, 0x7f000000u);
    EXPECT_EQ(f.u.efi_info.cfg.nent, 5u);
    std::vector<u16> name(3, 9);
    f.index = XEN_FW_EFI_VENDOR;
    f.u.efi_info.vendor = {0, 6, share(name)};
    EXPECT_EQ(run(XENPF_firmware_info), 0);
    EXPECT_EQ(name, (std::vector<u16>{'T', 'e', 0}));
    f.index = XEN_FW_EFI_VERSION;
    EXPECT_EQ(run(XENPF_firmware_info), 0);
    EXPECT_EQ(f.u.efi_info.version, 0x20046u);
    f.index = 77;
    EXPECT_EQ(run(XENPF_firmware_info), failure(Error::inval));
}

TEST_F(Mca, HasNothingToReport)
{
    xen_mc op{};
    u64 at = share(op);
    EXPECT_EQ(call(__HYPERVISOR_mca, at), failure(Error::access));
    op.interface_version = XEN_MCA_INTERFACE_VERSION;
    op.cmd = XEN_MC_fetch;
    op.u.mc_fetch.flags = XEN_MC_NONURGENT;
    EXPECT_EQ(call(__HYPERVISOR_mca, at), 0);
    EXPECT_EQ(op.u.mc_fetch.flags, u32{XEN_MC_NODATA});
    op.cmd = XEN_MC_physcpuinfo;
    op.u.mc_physcpuinfo = {};
    EXPECT_EQ(call(__HYPERVISOR_mca, at), 0);
    EXPECT_EQ(op.u.mc_physcpuinfo.ncpus, 2u);
    std::vector<u8> room(2 * 304, 0xff);
    op.u.mc_physcpuinfo.info = share(room);
    EXPECT_EQ(call(__HYPERVISOR_mca, at), 0);
    EXPECT_EQ(room[304], 1);
    EXPECT_EQ(room[607], 0);
    op.cmd = XEN_MC_mceinject;
    EXPECT_EQ(call(__HYPERVISOR_mca, at), failure(Error::nosys));
}

} // namespace
