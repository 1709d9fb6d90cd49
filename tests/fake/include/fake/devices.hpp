// Interrupt lines and PCI functions of the host machine: 24 GSIs, and whatever functions a test adds. What was done to them is recorded.
#pragma once
#include <tenon/irq/line.hpp>
#include <vector>

namespace tenon::fake {

struct FakeLine {
    enum Kind { free, gsi, msi } kind = free;
    u32 gsi_number = 0;
    bool level = false, low = false, open = false, in_service = false;
    DomainId domain = dom_invalid;
    u32 port = 0;
    pci::MsiTarget target;
};

/// No functions, no lines; GSIs from 16 on are level.
void reset_devices();
/// A function with MSI for so many messages, and MSI-X with so many entries at `table_base`; 0: without the capability.
void add_function(pci::Function f, unsigned msi_messages, unsigned msix_entries = 0, u64 table_base = 0);
FakeLine& line(Vector vector);
/// Lines in use.
unsigned line_count();
/// The interrupt arrives; returns the port that it goes to, 0 when it is held back or dropped.
u32 raise(Vector vector);
/// Functions whose messages were turned off.
const std::vector<pci::Function>& disabled_functions();

} // namespace tenon::fake
