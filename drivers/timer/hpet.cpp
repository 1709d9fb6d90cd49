// HPET main counter: a reference at 10 MHz or more. Only its counter is used; its comparators are dom0's. [HPET 1.0a 2.3]
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon {
namespace {

constexpr u64 reg_capabilities = 0x00, reg_configuration = 0x10, reg_counter = 0xf0;
constexpr u64 femtoseconds = 1'000'000'000'000'000, longest_period = 100'000'000;

constinit void* registers = nullptr;

} // namespace

Counter hpet_counter(const acpi::Machine& machine)
{
    if (!machine.hpet_address)
        return {};
    registers = x86::map_device(MachineAddr{machine.hpet_address}, 0x400);
    if (!registers)
        return {};
    const u32 period = io::read_at<u32>(registers, reg_capabilities + 4);
    if (period == 0 || period > longest_period) // also all ones: nothing answers there
        return {};
    const u32 configuration = io::read_at<u32>(registers, reg_configuration);
    io::write_at<u32>(registers, reg_configuration, configuration | 1);
    // Counters of 32 bits exist, and 64-bit ones cannot be read at once everywhere.
    return {[]() -> u64 { return io::read_at<u32>(registers, reg_counter); }, femtoseconds / period, 0xffff'ffff, "HPET"};
}

} // namespace tenon
