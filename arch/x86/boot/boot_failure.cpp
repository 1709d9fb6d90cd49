// The machine cannot be started: said once, clearly.
#include "boot_failure.hpp"
#include "../cpu/smp.hpp"
#include <cstdarg>
#include <tenon/boot/known_options.hpp>
#include <tenon/console.hpp>
#include <tenon/device/power.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

void boot_failure(const char* format, ...)
{
    interrupts_off();
    va_list args;
    va_start(args, format);
    console::write_line(LogLevel::error, format, args);
    va_end(args);
    log_error("Tenon cannot start. %s", options::noreboot ? "Halted (noreboot)." : "Rebooting in ten seconds.");
    if (online.count() > 1)
        stop_other_cpus();
    if (options::noreboot)
        for (;;)
            asm volatile("cli; hlt");
    // The clock may not be there yet: the timestamp counter of any machine makes less than 8 GHz.
    for (u64 start = read_tsc(); read_tsc() - start < 25'000'000'000;)
        pause();
    power::reboot();
}

} // namespace tenon::x86
