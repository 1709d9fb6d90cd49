// See the header. The table's lock is held over calls into the line table, never the other way round.
#include <algorithm>
#include <span>
#include <tenon/domain/domain.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/irq/pirq.hpp>

namespace tenon::pirqs {
namespace {

constexpr unsigned limit = PirqTable::limit, max_messages = 32;

/// `wanted` if it is given and free, or reserved, else the highest free run: low numbers are the GSIs'.
Result<u32> choose(std::span<const PirqEntry> entries, unsigned count, s32 wanted)
{
    const auto is_free = [&](unsigned first) {
        return std::ranges::all_of(entries.subspan(first, count),
                                   [&](const PirqEntry& e) { return e.is_free() || (wanted >= 0 && !e.has_line()); });
    };
    if (wanted >= 0 && u32(wanted) > limit - count)
        return Error::inval;
    if (wanted >= 0)
        return is_free(u32(wanted)) ? Result<u32>(u32(wanted)) : Error::exist;
    for (unsigned first = limit - count; first > 0; first--)
        if (is_free(first))
            return first;
    return Error::nospc;
}

void release(PirqEntry& entry)
{
    if (entry.is_bound)
        irq::detach(entry.vector);
    if (entry.has_line())
        irq::release(entry.vector);
    entry = {};
}

/// What f(entry) says, under the lock; Error::inval for a pirq without a line.
template <class F> auto with_line(Domain& domain, Pirq pirq, F&& f) -> decltype(f(domain.pirqs.entries[0]))
{
    Guard guard(domain.pirqs.lock);
    if (pirq.raw() >= limit || !domain.pirqs.entries[pirq.raw()].has_line())
        return Error::inval;
    return f(domain.pirqs.entries[pirq.raw()]);
}

/// The pirq that f(entries) chooses, under the lock.
template <class F> Result<Pirq> with_table(Domain& domain, F&& f)
{
    Guard guard(domain.pirqs.lock);
    if (domain.is_dying()) // what it has is given back already, or will be when we are through
        return Error::inval;
    return Pirq{TRY(f(std::span(domain.pirqs.entries)))};
}

} // namespace

Result<Pirq> map_gsi(Domain& domain, u32 gsi, s32 wanted)
{
    const Vector vector = TRY(irq::line_for_gsi(gsi));
    return with_table(domain, [&](auto entries) -> Result<u32> {
        for (u32 i = 0; i < limit; i++)
            if (entries[i].vector == vector)
                return wanted < 0 || u32(wanted) == i ? Result<u32>(i) : Error::exist;
        const bool own_number_free = gsi < limit && entries[gsi].is_free();
        const u32 number = TRY(choose(entries, 1, wanted < 0 && own_number_free ? s32(gsi) : wanted));
        entries[number].vector = vector;
        return number;
    });
}

Result<Pirq> map_msi(Domain& domain, const MsiRequest& r, s32 wanted)
{
    if (r.count == 0 || r.count > max_messages || (r.table_base && r.count != 1))
        return Error::inval;
    return with_table(domain, [&](auto entries) -> Result<u32> {
        const pci::MsiTarget target =
            TRY(r.table_base ? pci::find_msix(r.function, r.entry, r.table_base) : pci::find_msi(r.function, 1u << log2_ceil(r.count)));
        const u32 first = TRY(choose(entries, r.count, wanted));
        const Vector vector = TRY(irq::lines_for_msi(target, r.count));
        for (u32 i = 0; i < r.count; i++)
            entries[first + i].vector = vector + u8(i);
        return first;
    });
}

Result<Pirq> reserve(Domain& domain)
{
    return with_table(domain, [](auto entries) -> Result<u32> {
        const u32 number = TRY(choose(entries, 1, -1));
        entries[number].vector = PirqEntry::reserved;
        return number;
    });
}

Status unmap(Domain& domain, Pirq pirq)
{
    Guard guard(domain.pirqs.lock);
    if (pirq.raw() >= limit || domain.pirqs.entries[pirq.raw()].is_free())
        return Error::inval;
    PirqEntry& entry = domain.pirqs.entries[pirq.raw()];
    if (entry.is_bound) // the channel goes first
        return Error::busy;
    release(entry);
    return success;
}

Status bind(Domain& domain, Pirq pirq, u32 port)
{
    return with_line(domain, pirq, [&](PirqEntry& entry) -> Status {
        if (entry.is_bound)
            return Error::exist;
        TRY(irq::attach(entry.vector, domain.id, port));
        entry.is_bound = true;
        return success;
    });
}

void unbind(Domain& domain, Pirq pirq)
{
    (void)with_line(domain, pirq, [](PirqEntry& entry) -> Status {
        if (std::exchange(entry.is_bound, false))
            irq::detach(entry.vector);
        return success;
    });
}

Status eoi(Domain& domain, Pirq pirq)
{
    return with_line(domain, pirq, [](PirqEntry& entry) -> Status {
        if (entry.is_bound) // else the line may be another domain's
            irq::finish(entry.vector);
        return success;
    });
}

Result<bool> needs_eoi(Domain& domain, Pirq pirq)
{
    if (pirq.raw() >= limit)
        return Error::inval;
    return with_line(domain, pirq, [](PirqEntry& entry) -> Result<bool> { return irq::needs_finish(entry.vector); }).value_or(false);
}

void set_target_cpu(Domain& domain, Pirq pirq, CpuId cpu)
{
    (void)with_line(domain, pirq, [&](PirqEntry& entry) -> Status {
        if (entry.is_bound)
            irq::set_target_cpu(entry.vector, cpu);
        return success;
    });
}

void release_all(Domain& domain)
{
    Guard guard(domain.pirqs.lock);
    for (PirqEntry& entry : domain.pirqs.entries)
        release(entry);
}

} // namespace tenon::pirqs
