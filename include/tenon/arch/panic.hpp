// What common code asks of a CPU that must die.
#pragma once

namespace tenon::arch {

/// Registers and a backtrace through console_write, the other CPUs stopped, then reboot, or halt with `noreboot`.
[[noreturn]] void dump_state_and_stop();

} // namespace tenon::arch
