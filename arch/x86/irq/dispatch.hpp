// Where the interrupt entry hands over everything that is not an exception, a timer or a message between CPUs.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::x86 {

/// An external interrupt arrived with this vector; interrupts are off, no lock is held. Acknowledges it and delivers it.
void handle_device_interrupt(u8 vector);

} // namespace tenon::x86
