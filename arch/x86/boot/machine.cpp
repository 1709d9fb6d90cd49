// Facts about the machine that dom0 and the tools ask for.
#include "../cpu/features.hpp"
#include "../cpu/per_cpu.hpp"
#include "../time/clock.hpp"
#include "boot.hpp"
#include "boot_memory.hpp"
#include <tenon/arch/machine.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/boot/boot_info.hpp>
#include <tenon/boot/memory_map.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

extern "C" const u8 build_id_start[], build_id_end[];
constinit xen_e820_entry e820[MemoryMap::capacity]{};
constinit unsigned e820_count = 0;
constinit arch::EfiInfo efi{};
constinit u16 vendor_name[100]{};
constinit arch::ProcessorInfo processor{};

/// Copies from machine memory at boot; nothing when it does not lie in mappable reach.
bool peek(u64 address, void* to, u64 bytes)
{
    const void* at = map_device(MachineAddr{address}, bytes, DeviceMemory::write_back);
    if (!at)
        return false;
    __builtin_memcpy(to, at, bytes);
    return true;
}

/// [UEFI 4.3] EFI_SYSTEM_TABLE, 64 bit.
struct EfiSystemTable {
    u64 signature;
    u32 revision, header_size, crc, reserved;
    u64 vendor;
    u32 vendor_revision, pad;
    u64 pointers[8];
    u64 entries;
    u64 table;
};

void read_efi(u64 address)
{
    EfiSystemTable t;
    if (!address || !peek(address, &t, sizeof t) || t.signature != 0x5453595320494249)
        return;
    efi.config_table = t.table;
    efi.config_entries = u32(t.entries);
    efi.revision = t.revision;
    efi.vendor_revision = t.vendor_revision;
    if (peek(t.vendor, vendor_name, sizeof vendor_name - 2))
        efi.vendor = {vendor_name, 100};
}

} // namespace

void remember_machine(const MemoryMap& map, const BootInfo& info)
{
    for (const Region& r : map.regions())
        e820[e820_count++] = {r.start, r.bytes(), u32(r.kind)};
    read_efi(info.efi_system_table);
    processor.khz = u32(clock::tsc_hz() / 1000);
    processor.cores_per_socket = max(acpi::machine().cpu_count, u32(1)); // one socket, as cpu_place() has it
    processor.physical_address_bits = features.physical_bits;
    const CpuidResult one = cpuid(1), extended = cpuid(0x80000001);
    const u32 words[] = {one.edx, one.ecx, extended.edx, extended.ecx, 0, cpuid(0).eax >= 7 ? cpuid(7).ebx : 0};
    __builtin_memcpy(processor.features, words, sizeof words);
}

u32 max_machine_width() { return log2_ceil(boot_memory::end_of_ram().raw() << page_shift); }

} // namespace tenon::x86

namespace tenon::arch {

using namespace x86;

std::span<const xen_e820_entry> machine_memory_map() { return {e820, e820_count}; }
const ProcessorInfo& processor_info() { return processor; }

CpuPlace cpu_place(CpuId cpu)
{
    CpuPlace place;
    place.apic_id = percpu(cpu).apic_id.raw();
    place.core = place.apic_id; // one thread a core until told otherwise
    const acpi::Machine& m = acpi::machine();
    for (u32 i = 0; i < m.cpu_count; i++)
        if (m.cpus[i].apic.raw() == place.apic_id)
            place.acpi_id = m.cpus[i].acpi_id;
    return place;
}

const EfiInfo& efi_info() { return efi; }

u8 keyboard_shift_flags()
{
    FrameView<u8> bios_data(Mfn{0});
    return bios_data[0x417];
}

std::span<const u8> build_id()
{
    u64 bytes = u64(build_id_end - build_id_start);
    return bytes > 16 ? std::span<const u8>{build_id_start + 16, bytes - 16} : std::span<const u8>{};
}

} // namespace tenon::arch
