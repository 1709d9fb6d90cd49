// The table of interrupt lines, one for each device vector: a vector for a GSI or for a block of messages, the hardware's route to it,
// whose it is, and an interrupt's way from the CPU to its owner. Edge interrupts and messages are acknowledged at once. A level
// interrupt stays masked at its I/O APIC until its guest has served the device, so that the local APIC is free again meanwhile.
#include "../cpu/per_cpu.hpp"
#include "vectors.hpp"
#include <algorithm>
#include <array>
#include <span>
#include <tenon/device/ioapic.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace irq {
namespace {

struct Line {
    enum class Kind : u8 { free, spare, gsi, msi } kind = Kind::free; ///< spare: kept for the other messages of its block
    bool level = false, low = false;
    bool in_service = false; ///< level: masked until finish()
    u8 block_size = 1;       ///< MSI: vectors of one capability's block, which starts at a multiple of it
    u32 gsi = 0;
    pci::MsiTarget msi;
    CpuId cpu{};
    void (*handler)() = nullptr; ///< Tenon's own
    DomainId domain = dom_invalid;
    u32 port = 0;

    /// Whoever has the line wants its interrupts.
    bool is_owned() const { return handler != nullptr || domain != dom_invalid; }
    bool is_used() const { return kind == Kind::gsi || kind == Kind::msi; }
    bool is_message_of(const pci::MsiTarget& t) const
    {
        return kind == Kind::msi && msi.function == t.function && msi.is_msix == t.is_msix;
    }
};

constinit std::array<Line, x86::last_device_vector + 1 - x86::first_device_vector> lines;
constinit SpinLock<Rank::irq> lines_lock;

/// Of a vector that was handed out.
Line& line_of(Vector vector) { return lines[vector.raw() - x86::first_device_vector]; }
Vector vector_of(const Line& line) { return Vector(u8(&line - lines.data() + x86::first_device_vector)); }

constexpr u32 isa_irqs = 16;

/// The 8-bit destination of I/O APICs and messages reaches APIC ids up to 254; a CPU beyond is replaced by the first one.
ApicId destination(CpuId cpu)
{
    const ApicId apic = x86::percpu(cpu).apic_id;
    return apic.raw() < 0xff ? apic : x86::percpu(CpuId{0}).apic_id;
}

/// Writes the line's route; that of a GSI is masked unless it is open.
void write_route(const Line& line)
{
    const u8 vector = vector_of(line).raw();
    if (line.kind == Line::Kind::gsi) {
        const bool open = line.is_owned() && !line.in_service;
        ioapic::route(line.gsi, {vector, !open, line.level, line.low, destination(line.cpu)});
    } else if (vector % line.block_size == 0) { // messages of one block differ only in what the device adds
        pci::program(line.msi, pci::message_to(destination(line.cpu), vector), line.block_size);
    }
}

/// Aligned run of free lines; the lowest class last, so that single lines fill the table from the bottom and blocks from the top.
Result<std::span<Line>> find_free(unsigned count)
{
    for (unsigned n = 0; n + count <= lines.size(); n += count) {
        const auto run = std::span(lines).subspan(count == 1 ? n : lines.size() - count - n, count);
        if (vector_of(run.front()).raw() % count == 0 && std::ranges::all_of(run, [](Line& l) { return l.kind == Line::Kind::free; }))
            return run;
    }
    return Error::nospc;
}

/// Until dom0 says more: ISA lines are edge, active high, PCI lines level, active low, and the MADT's overrides come first.
Result<Line*> make_gsi(u32 gsi)
{
    if (!ioapic::has_gsi(gsi))
        return Error::inval;
    for (Line& line : lines)
        if (line.kind == Line::Kind::gsi && line.gsi == gsi)
            return &line;
    Line& line = TRY(find_free(1)).front();
    line.kind = Line::Kind::gsi;
    line.gsi = gsi;
    line.level = line.low = gsi >= isa_irqs;
    if (const acpi::Override* o = acpi::machine().override_for(gsi)) {
        line.level = o->level;
        line.low = o->low;
    }
    write_route(line);
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

Status claim_gsi(u32 gsi, void (*handler)())
{
    Guard guard(lines_lock);
    Line& line = *TRY(make_gsi(gsi));
    if (line.is_owned())
        return Error::busy;
    line.handler = handler;
    write_route(line);
    return success;
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
    write_route(line);
    return success;
}

Result<Vector> line_for_gsi(u32 gsi)
{
    Guard guard(lines_lock);
    return vector_of(*TRY(make_gsi(gsi)));
}

Result<Vector> lines_for_msi(const pci::MsiTarget& target, unsigned count)
{
    Guard guard(lines_lock);
    for (const Line& line : lines) // of plain MSI, a function has one block
        if (line.is_message_of(target) && (!target.is_msix || line.msi.index == target.index))
            return Error::exist;
    const auto block = TRY(find_free(1u << log2_ceil(count))); // the device varies the low bits of its message
    for (unsigned i = 0; i < block.size(); i++) {
        block[i].kind = i < count ? Line::Kind::msi : Line::Kind::spare;
        block[i].msi = target;
        block[i].msi.index = u16(target.index + i);
        block[i].block_size = u8(block.size());
        set_mask(block[i], true);
    }
    write_route(block.front());
    return vector_of(block.front());
}

void release(Vector vector)
{
    Guard guard(lines_lock);
    Line& line = line_of(vector);
    if (line.kind != Line::Kind::msi)
        return;
    set_mask(line, true);
    line.kind = Line::Kind::spare;
    const pci::MsiTarget target = line.msi;
    const auto block = std::span(lines).subspan(align_down(vector.raw(), line.block_size) - x86::first_device_vector, line.block_size);
    if (std::ranges::none_of(block, &Line::is_used))
        std::ranges::fill(block, Line{});
    if (std::ranges::none_of(lines, [&](const Line& l) { return l.is_message_of(target); }))
        pci::disable(target);
}

Status restore_msi(pci::Function function)
{
    Guard guard(lines_lock);
    for (const Line& line : lines)
        if (line.kind == Line::Kind::msi && line.msi.function == function) {
            write_route(line);
            set_mask(line, !line.is_owned());
        }
    return success;
}

void set_target_cpu(Vector vector, CpuId cpu)
{
    Guard guard(lines_lock);
    Line& line = line_of(vector);
    if (std::exchange(line.cpu, cpu) != cpu)
        write_route(line);
}

Status attach(Vector vector, DomainId domain, u32 port)
{
    Guard guard(lines_lock);
    Line& line = line_of(vector);
    if (line.is_owned())
        return Error::busy;
    line.domain = domain;
    line.port = port;
    line.in_service = false;
    set_mask(line, false);
    return success;
}

void detach(Vector vector)
{
    Guard guard(lines_lock);
    Line& line = line_of(vector);
    line.domain = dom_invalid;
    line.in_service = false;
    set_mask(line, true);
}

void finish(Vector vector)
{
    Guard guard(lines_lock);
    Line& line = line_of(vector);
    if (std::exchange(line.in_service, false))
        set_mask(line, false);
}

bool needs_finish(Vector vector)
{
    Guard guard(lines_lock);
    return line_of(vector).level;
}

} // namespace irq

namespace x86 {
namespace {

/// No line: noise of the i8259s, or a device that was told of a vector which is gone.
void take_unexpected(u8 vector)
{
    if (lapic::in_service(vector))
        lapic::eoi();
    log_once(LogLevel::warning, "Unexpected interrupt, vector 0x%x", vector);
}

} // namespace

void handle_device_interrupt(u8 vector)
{
    if (vector < first_device_vector || vector > last_device_vector)
        return take_unexpected(vector);
    irq::Line& line = irq::line_of(Vector{vector});
    irq::lines_lock.lock();
    const bool expected = line.is_used();
    if (line.level) {
        irq::set_mask(line, true);
        line.in_service = line.is_owned();
    }
    if (expected)
        lapic::eoi();
    const auto handler = line.handler;
    const DomainId id = line.domain; // dom_invalid: nobody's, and find() would tidy up under the locks of who let the interrupt in
    const u32 port = line.port;
    irq::lines_lock.unlock();

    if (!expected) {
        take_unexpected(vector);
    } else if (handler) {
        handler();
        irq::finish(Vector{vector});
    } else if (Domain* dom0 = domains::dom0(); dom0 && dom0->id == id) {
        events::set_pending(*dom0, port); // dom0 does not go away
    } else if (DomainRef domain = id == dom_invalid ? DomainRef() : domains::find(id); domain && !domain->is_dying()) {
        events::set_pending(*domain, port);
    }
}

} // namespace x86
} // namespace tenon
