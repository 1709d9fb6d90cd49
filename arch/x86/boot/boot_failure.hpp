// The machine cannot be started: one line that says why, then reboot, or halt with `noreboot`.
#pragma once

namespace tenon::x86 {

[[noreturn, gnu::format(printf, 1, 2)]] void boot_failure(const char* format, ...);

} // namespace tenon::x86
