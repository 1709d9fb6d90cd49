// How the machine ends when dom0 does.
#include "smp.hpp"
#include <tenon/arch/machine.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/device/power.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::arch {

static void halt()
{
    x86::interrupts_off();
    x86::stop_other_cpus();
    log_info("Halted.");
    for (;;)
        asm volatile("cli; hlt");
}

void power_off()
{
    x86::interrupts_off();
    log_info("Power off.");
    x86::stop_other_cpus();
    power::off();
}

void reboot(bool after_crash)
{
    if (after_crash && options::noreboot)
        halt();
    x86::interrupts_off();
    log_info("Reboot.");
    x86::stop_other_cpus();
    power::reboot();
}

} // namespace tenon::arch
