// Interrupt lines of the machine as common code sees them: each has a vector, comes from a GSI or from a message of a PCI function, and
// goes to a handler of Tenon's or to one domain's event port. Answered by arch/x86/irq.
#pragma once
#include <tenon/device/pci.hpp>

namespace tenon::irq {

/// Tenon's own use of a GSI: `handler` runs with interrupts off, outside of locks. Error::busy when a guest has it.
Status claim_gsi(u32 gsi, void (*handler)());

/// Trigger mode and polarity as dom0 read them from the firmware. Error::exist when Tenon drives the line itself.
Status configure_gsi(u32 gsi, bool level, bool low);
/// The vector of a GSI; the line is made, masked, on first use. Error::inval without such a GSI, Error::nospc without vectors.
Result<Vector> line_for_gsi(u32 gsi);
/// Lines for `count` <= 32 messages of one device, vectors consecutive; the device is programmed, and masked if it can be. Error::exist
/// when this message, or another block of the function's plain MSI, has a line already.
Result<Vector> lines_for_msi(const pci::MsiTarget& target, unsigned count);
/// Programs the messages of a function again after it lost its state.
Status restore_msi(pci::Function function);

// The others are for vectors that line_for_gsi and lines_for_msi gave and that were not released.

/// Frees a message's line; the device's capability is turned off with the last one of it. A GSI keeps its line.
void release(Vector vector);
/// Gives the line to a port and opens it; Error::busy when it already belongs to someone.
Status attach(Vector vector, DomainId domain, u32 port);
void detach(Vector vector);
/// The guest has served a level interrupt: the line may raise the next one.
void finish(Vector vector);
/// True when the line stays blocked until finish().
bool needs_finish(Vector vector);
/// Sends the line's interrupts to this CPU from now on.
void set_target_cpu(Vector vector, CpuId cpu);

} // namespace tenon::irq
