// Ends the machine's run.
#pragma once

namespace tenon::power {

/// Every known way to restart a PC, in turn; interrupts off, other CPUs stopped by the caller.
[[noreturn]] void reboot();
/// ACPI S5 with the values of the DSDT; halts when that does not work.
[[noreturn]] void off();
/// This CPU does nothing any more.
[[noreturn]] void halt();

} // namespace tenon::power
