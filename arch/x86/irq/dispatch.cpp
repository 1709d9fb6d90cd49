// An interrupt's way from the CPU to its owner. Edge interrupts and messages are acknowledged at once. A level interrupt stays masked
// at its I/O APIC until its guest has served the device, so that the local APIC is free again meanwhile.
#include "dispatch.hpp"
#include "lines.hpp"
#include <tenon/device/lapic.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/event/channels.hpp>
#include <tenon/log.hpp>

namespace tenon {

namespace irq {

Status attach(Vector vector, DomainId domain, Pirq pirq, u32 port)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || (line->kind != Line::Kind::gsi && line->kind != Line::Kind::msi))
        return Error::inval;
    if (line->is_owned())
        return Error::busy;
    line->domain = domain;
    line->pirq = pirq;
    line->port = port;
    line->in_service = false;
    return success;
}

void detach(Vector vector)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || line->domain == dom_invalid)
        return;
    line->started = line->in_service = false;
    mask(*line);
    line->domain = dom_invalid;
    line->port = 0;
}

void start(Vector vector)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || !line->is_owned())
        return;
    line->started = true;
    line->in_service = false;
    unmask(*line);
}

void finish(Vector vector)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || !line->in_service)
        return;
    line->in_service = false;
    if (line->started)
        unmask(*line);
}

bool needs_finish(Vector vector)
{
    Guard guard(lines_lock);
    const Line* line = line_of(vector.raw());
    return line && line->kind == Line::Kind::gsi && line->level;
}

} // namespace irq

namespace x86 {
namespace {

constinit std::atomic<u64> unexpected{0};

/// No line: noise of the i8259s, or a device that was told of a vector which is gone.
void take_unexpected(u8 vector)
{
    if (vector == spurious_vector)
        return; // never in service, so never acknowledged [SDM 3A 11.9]
    if (lapic::in_service(vector))
        lapic::eoi();
    if (unexpected.fetch_add(1, std::memory_order_relaxed) == 0)
        log_warning("Unexpected interrupt, vector 0x%x\n", vector);
}

void deliver_to_guest(DomainId id, u32 port)
{
    if (Domain* dom0 = domains::dom0(); dom0 && dom0->id == id)
        return events::set_pending(*dom0, port); // dom0 does not go away
    if (DomainRef domain = domains::find(id); domain && !domain->is_dying())
        events::set_pending(*domain, port);
}

} // namespace

void handle_device_interrupt(u8 vector)
{
    irq::Line* line = irq::line_of(vector);
    if (!line)
        return take_unexpected(vector);
    irq::lines_lock.lock();
    if (line->kind == irq::Line::Kind::free || line->kind == irq::Line::Kind::spare) {
        irq::lines_lock.unlock();
        return take_unexpected(vector);
    }
    line->count++;
    const bool wanted = line->started && line->is_owned();
    if (line->level) {
        irq::mask(*line);
        line->in_service = wanted;
    }
    lapic::eoi();
    const irq::Line seen = *line;
    irq::lines_lock.unlock();

    if (!wanted)
        return;
    if (!seen.handler)
        return deliver_to_guest(seen.domain, seen.port);
    seen.handler(seen.argument);
    if (seen.level)
        irq::finish(Vector{vector});
}

u64 interrupt_count(u8 vector)
{
    const irq::Line* line = irq::line_of(vector);
    return line ? line->count : 0;
}

u64 unexpected_interrupts() { return unexpected.load(std::memory_order_relaxed); }

void dump_lines()
{
    for (const irq::Line& line : irq::lines) {
        if (line.kind == irq::Line::Kind::free || !line.is_owned())
            continue;
        const char* state = line.in_service ? "in service" : line.started ? "open" : "masked";
        if (line.kind == irq::Line::Kind::gsi)
            log_info("vector 0x%x: GSI %u %s, ", irq::vector_of(line), line.gsi, line.level ? "level" : "edge");
        else
            log_info("vector 0x%x: %s %u of %02x:%02x.%u, ", irq::vector_of(line), line.msi.is_msix ? "MSI-X" : "MSI", line.msi.index,
                     line.msi.function.bus, line.msi.function.devfn >> 3, line.msi.function.devfn & 7);
        log_info("  %s, domain %u port %u, %lu interrupts\n", state, line.domain.raw(), line.port, line.count);
    }
}

} // namespace x86
} // namespace tenon
