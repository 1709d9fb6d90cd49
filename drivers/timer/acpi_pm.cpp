// ACPI power management timer: 3.579545 MHz, 24 or 32 bits. [ACPI 4.8.3.3]
#include <tenon/device/counter.hpp>

namespace tenon {
namespace {

constinit acpi::Gas timer_register;

} // namespace

Counter acpi_timer_counter(const acpi::Machine& machine)
{
    if (!machine.has_power || !machine.power.timer)
        return {};
    timer_register = machine.power.timer;
    return {[]() -> u64 { return acpi::read(timer_register); }, 3'579'545, machine.power.timer_is_32_bit ? 0xffff'ffff : 0xff'ffff,
            "ACPI PM timer"};
}

} // namespace tenon
