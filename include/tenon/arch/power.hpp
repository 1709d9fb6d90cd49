// How the machine ends, for the control domain's shutdown.
#pragma once

namespace tenon::arch {

void power_off();
/// After a crash of the control domain, `noreboot` on the command line makes it a halt.
void reboot(bool after_crash = false);
void halt();

} // namespace tenon::arch
