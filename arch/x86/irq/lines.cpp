// The table of interrupt lines, one for each device vector: a vector for a GSI or for a block of messages, the hardware's route to it,
// whose it is, and an interrupt's way from the CPU to its owner. Edge interrupts and messages are acknowledged at once. A level
// interrupt stays masked at its I/O APIC until its guest has served the device, so that the local APIC is free again meanwhile.
#include "../cpu/per_cpu.hpp"
#include "dispatch.hpp"
#include "vectors.hpp"
#include <tenon/device/ioapic.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/event/channels.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/log.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {
namespace irq {
namespace {

struct Line {
    enum class Kind : u8 { free, gsi, msi, spare } kind = Kind::free; ///< spare: kept with its block, not in use
    bool level = false, low = false;
    bool started = false;                ///< the owner wants interrupts
    bool in_service = false;             ///< level: masked until finish()
    u8 block_first = 0, block_count = 1; ///< MSI: vectors of one capability's block
    u32 gsi = 0;
    pci::MsiTarget msi;
    CpuId cpu{};
    void (*handler)(void*) = nullptr; ///< Tenon's own
    void* argument = nullptr;
    DomainId domain = dom_invalid;
    Pirq pirq{};
    u32 port = 0;

    bool is_owned() const { return handler != nullptr || domain != dom_invalid; }
};

constinit Line lines[x86::last_device_vector + 1 - x86::first_device_vector];
constinit SpinLock<Rank::irq> lines_lock;

/// The line of a vector, whatever the vector is; nullptr when it is no device's.
Line* line_of(u8 vector)
{
    return vector >= x86::first_device_vector && vector <= x86::last_device_vector ? &lines[vector - x86::first_device_vector] : nullptr;
}
u8 vector_of(const Line& line) { return u8(&line - lines + x86::first_device_vector); }

constexpr u32 isa_irqs = 16;

/// The 8-bit destination of I/O APICs and messages reaches APIC ids up to 254; a CPU beyond is replaced by the first one.
ApicId destination(CpuId cpu)
{
    const ApicId apic = x86::percpu(cpu).apic_id;
    return apic.raw() < 0xff ? apic : x86::percpu(CpuId{0}).apic_id;
}

/// Writes the line's route, masked unless it is open.
Status write_route(const Line& line)
{
    const u8 vector = vector_of(line);
    if (line.kind == Line::Kind::gsi) {
        const bool open = line.started && !line.in_service;
        ioapic::route(line.gsi, {vector, !open, line.level, line.low, destination(line.cpu)});
        return success;
    }
    if (line.msi.is_msix || vector == line.block_first) // messages of one block differ only in what the device adds
        return pci::program(line.msi, pci::message_to(destination(line.cpu), vector), line.block_count);
    return success;
}

/// Aligned run of free vectors; the lowest class last, so that single lines fill the table from the bottom and blocks from the top.
Result<u8> find_free(unsigned count)
{
    const unsigned total = std::size(lines);
    const auto is_free = [&](unsigned first) {
        for (unsigned i = 0; i < count; i++)
            if (lines[first + i].kind != Line::Kind::free)
                return false;
        return true;
    };
    for (unsigned n = 0; n + count <= total; n += count) {
        const unsigned first = count == 1 ? n : total - count - n;
        if ((x86::first_device_vector + first) % count == 0 && is_free(first))
            return u8(x86::first_device_vector + first);
    }
    return Error::nospc;
}

Line* find_gsi(u32 gsi)
{
    for (Line& line : lines)
        if (line.kind == Line::Kind::gsi && line.gsi == gsi)
            return &line;
    return nullptr;
}

/// Until dom0 says more: ISA lines are edge, active high, PCI lines level, active low, and the MADT's overrides come first.
Result<Line*> make_gsi(u32 gsi)
{
    if (!ioapic::has_gsi(gsi))
        return Error::inval;
    if (Line* line = find_gsi(gsi))
        return line;
    Line& line = *line_of(TRY(find_free(1)));
    line = {};
    line.kind = Line::Kind::gsi;
    line.gsi = gsi;
    line.level = line.low = gsi >= isa_irqs;
    if (const acpi::Override* o = acpi::machine().override_for(gsi)) {
        line.level = o->level;
        line.low = o->low;
    }
    (void)write_route(line); // a GSI's route cannot fail
    return &line;
}

void set_mask(const Line& line, bool masked)
{
    if (line.kind == Line::Kind::gsi)
        ioapic::set_mask(line.gsi, masked);
    else
        pci::set_mask(line.msi, masked);
}

} // namespace

bool gsi_exists(u32 gsi) { return ioapic::has_gsi(gsi); }

Status claim_gsi(u32 gsi, void (*handler)(void*), void* argument)
{
    Guard guard(lines_lock);
    Line& line = *TRY(make_gsi(gsi));
    if (line.is_owned())
        return Error::busy;
    line.handler = handler;
    line.argument = argument;
    line.started = true;
    return write_route(line);
}

Status configure_gsi(u32 gsi, bool level, bool low)
{
    Guard guard(lines_lock);
    Line& line = *TRY(make_gsi(gsi));
    if (line.handler)
        return Error::exist;
    if (line.level == level && line.low == low)
        return success;
    line.level = level;
    line.low = low;
    line.in_service = false;
    return write_route(line);
}

Result<Vector> line_for_gsi(u32 gsi)
{
    Guard guard(lines_lock);
    return Vector{vector_of(*TRY(make_gsi(gsi)))};
}

Result<Vector> lines_for_msi(const pci::MsiTarget& target, unsigned count)
{
    Guard guard(lines_lock);
    const unsigned block = 1u << log2_ceil(count); // the device varies the low bits of its message
    const u8 first = TRY(find_free(block));
    for (unsigned i = 0; i < block; i++) {
        Line& line = *line_of(u8(first + i));
        line = {};
        line.kind = i < count ? Line::Kind::msi : Line::Kind::spare;
        line.msi = target;
        line.msi.index = u16(target.index + i);
        line.block_first = first;
        line.block_count = u8(block);
        set_mask(line, true);
    }
    const Status programmed = write_route(*line_of(first));
    if (programmed.ok())
        return Vector{first};
    for (unsigned i = 0; i < block; i++)
        *line_of(u8(first + i)) = {};
    return programmed.error();
}

bool msi_in_use(const pci::MsiTarget& target)
{
    Guard guard(lines_lock);
    for (const Line& line : lines)
        if ((line.kind == Line::Kind::msi || line.kind == Line::Kind::spare) && line.msi.function == target.function &&
            line.msi.is_msix == target.is_msix && (!target.is_msix || line.msi.index == target.index))
            return true;
    return false;
}

void free_msi_line(Vector vector)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || line->kind != Line::Kind::msi)
        return;
    set_mask(*line, true);
    line->kind = Line::Kind::spare;
    const pci::MsiTarget target = line->msi;
    const u8 block = line->block_first;
    bool block_in_use = false, device_in_use = false;
    for (const Line& other : lines) {
        if (other.kind != Line::Kind::msi)
            continue;
        block_in_use |= other.block_first == block;
        device_in_use |= other.msi.function == target.function && other.msi.is_msix == target.is_msix;
    }
    for (Line& other : lines)
        if (!block_in_use && other.kind == Line::Kind::spare && other.block_first == block)
            other = {};
    if (!device_in_use)
        pci::disable(target);
}

Status restore_msi(Vector vector)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || line->kind != Line::Kind::msi)
        return Error::inval;
    TRY(write_route(*line));
    pci::set_mask(line->msi, !line->started);
    return success;
}

void set_target_cpu(Vector vector, CpuId cpu)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || line->kind == Line::Kind::free || line->cpu == cpu)
        return;
    line->cpu = cpu;
    (void)write_route(*line); // fails only for a message that could never be written
}

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
    set_mask(*line, true);
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
    set_mask(*line, false);
}

void finish(Vector vector)
{
    Guard guard(lines_lock);
    Line* line = line_of(vector.raw());
    if (!line || !line->in_service)
        return;
    line->in_service = false;
    if (line->started)
        set_mask(*line, false);
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

/// No line: noise of the i8259s, or a device that was told of a vector which is gone.
void take_unexpected(u8 vector)
{
    if (vector == spurious_vector)
        return; // never in service, so never acknowledged [SDM 3A 11.9]
    if (lapic::in_service(vector))
        lapic::eoi();
    log_once(LogLevel::warning, "Unexpected interrupt, vector 0x%x", vector);
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
    const bool wanted = line->started && line->is_owned();
    if (line->level) {
        irq::set_mask(*line, true);
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

} // namespace x86
} // namespace tenon
