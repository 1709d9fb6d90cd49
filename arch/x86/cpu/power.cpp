// How the machine ends: as dom0 wants it, or because Tenon cannot go on.
#include "../boot/boot.hpp"
#include "smp.hpp"
#include <tenon/arch/machine.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/console.hpp>
#include <tenon/device/power.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

void stop_after_failure()
{
    interrupts_off();
    log_error("%s", options::noreboot ? "Halted (noreboot)." : "Rebooting in ten seconds.");
    stop_other_cpus();
    // The clock may not be there yet: the timestamp counter of any machine makes less than 8 GHz.
    for (u64 start = read_tsc(); !options::noreboot && read_tsc() - start < 25'000'000'000;)
        pause();
    options::noreboot ? power::halt() : power::reboot();
}

void boot_failure(const char* format, ...)
{
    va_list args;
    va_start(args, format);
    console::write_line("error: ", format, args);
    va_end(args);
    log_error("Tenon cannot start.");
    stop_after_failure();
}

} // namespace tenon::x86

namespace tenon::arch {
namespace {

void stop_all(const char* why)
{
    x86::interrupts_off();
    log_info("%s", why);
    x86::stop_other_cpus();
}

} // namespace

static void halt()
{
    stop_all("Halted.");
    power::halt();
}

void power_off()
{
    stop_all("Power off.");
    power::off();
}

void reboot(bool after_crash)
{
    if (after_crash && options::noreboot)
        halt();
    stop_all("Reboot.");
    power::reboot();
}

} // namespace tenon::arch
