// What the machine is: memory map, processors, firmware, its end. Answered by the architecture's boot code, constant after boot.
#pragma once
#include <abi/memory.h>
#include <abi/version.h>
#include <span>
#include <tenon/addr.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::arch {

/// The firmware's memory map, sorted, as the control domain may see it.
std::span<const xen_e820_entry> machine_memory_map();
/// The frame that holds the given 2 MiB piece of the machine-to-phys table; invalid_mfn where the table has a hole.
Mfn m2p_frame(u64 piece);

struct ProcessorInfo {
    u32 threads_per_core = 1, cores_per_socket = 1, khz = 0;
    u32 physical_address_bits = 0;
    u32 features[8]{}; ///< CPUID words in the order of sysctl physinfo's hw_cap
};
const ProcessorInfo& processor_info();

/// Where a CPU sits.
struct CpuPlace {
    u32 core = 0, socket = 0, thread = 0, apic_id = 0, acpi_id = 0;
};
CpuPlace cpu_place(CpuId cpu);

struct EfiInfo {
    u64 config_table = 0; ///< machine address; 0: the firmware is not EFI
    u32 config_entries = 0, revision = 0, vendor_revision = 0;
    std::span<const u16> vendor; ///< ends with 0
};
const EfiInfo& efi_info();
/// BIOS keyboard flags at boot (byte 0x417 of the BIOS data area), 0 when there are none.
u8 keyboard_shift_flags();

/// The linker's build id; empty when the image has none.
std::span<const u8> build_id();

/// How the machine ends, for the control domain's shutdown.
void power_off();
/// After a crash of the control domain, `noreboot` on the command line makes it a halt.
void reboot(bool after_crash = false);
/// Registers and a backtrace through console_write, the other CPUs stopped, then reboot, or halt with `noreboot`.
[[noreturn]] void dump_state_and_stop();

} // namespace tenon::arch
