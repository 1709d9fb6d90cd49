// See the header. The table's lock is held over calls into the line table, never the other way round.
#include <tenon/domain/domain.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/irq/pirq.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::pirqs {
namespace {

constexpr unsigned limit = PirqTable::limit, max_messages = 32;

bool all_free(const PirqEntry* entries, unsigned first, unsigned count, bool take_reserved = false)
{
    for (unsigned i = first; i < first + count; i++)
        if (entries[i].kind != PirqKind::none && !(take_reserved && entries[i].kind == PirqKind::reserved))
            return false;
    return true;
}

/// `wanted` if it is given and free, else the highest free run: low numbers are the GSIs'.
Result<u32> choose(const PirqEntry* entries, unsigned count, s32 wanted)
{
    if (wanted >= 0) {
        if (u32(wanted) >= limit || limit - u32(wanted) < count)
            return Error::inval;
        return all_free(entries, u32(wanted), count, true) ? Result<u32>(u32(wanted)) : Error::exist;
    }
    for (unsigned first = limit - count; first > 0; first--)
        if (all_free(entries, first, count))
            return first;
    return Error::nospc;
}

void release(PirqEntry& entry)
{
    if (entry.port)
        irq::detach(entry.vector);
    if (entry.kind == PirqKind::msi)
        irq::free_msi_line(entry.vector);
    entry = {};
}

/// What f(entry) says, under the lock; Error::inval for a pirq that is not of this kind or a later one.
template <class F> auto with_entry(Domain& domain, Pirq pirq, PirqKind least, F&& f) -> decltype(f(*domain.pirqs.entries))
{
    Guard guard(domain.pirqs.lock);
    PirqEntry* entries = domain.pirqs.entries;
    if (!entries || pirq.raw() >= limit || entries[pirq.raw()].kind < least)
        return Error::inval;
    return f(entries[pirq.raw()]);
}

/// The pirq that f(entries) chooses, under the lock, in a table that is made when there is none.
template <class F> Result<Pirq> with_table(Domain& domain, F&& f)
{
    TRY(init(domain));
    Guard guard(domain.pirqs.lock);
    if (!domain.pirqs.entries)
        return Error::inval;
    return Pirq{TRY(f(domain.pirqs.entries))};
}

} // namespace

Status init(Domain& domain)
{
    if (domain.pirqs.entries)
        return success;
    PirqEntry* entries = make_array<PirqEntry>(limit); // outside of the lock: the loser of a race gives its table back
    if (!entries)
        return Error::nomem;
    {
        Guard guard(domain.pirqs.lock);
        if (!domain.pirqs.entries && !domain.is_dying())
            std::swap(domain.pirqs.entries, entries);
    }
    heap::free(entries);
    return domain.pirqs.entries ? Status(success) : Error::inval;
}

Result<Pirq> map_gsi(Domain& domain, u32 gsi, s32 wanted)
{
    if (!irq::gsi_exists(gsi))
        return Error::inval;
    return with_table(domain, [&](PirqEntry* entries) -> Result<u32> {
        for (u32 i = 0; i < limit; i++)
            if (entries[i].kind == PirqKind::gsi && entries[i].gsi == gsi)
                return wanted < 0 || u32(wanted) == i ? Result<u32>(i) : Error::exist;
        const bool own_number_free = gsi < limit && entries[gsi].kind == PirqKind::none;
        const u32 number = TRY(choose(entries, 1, wanted < 0 && own_number_free ? s32(gsi) : wanted));
        const Vector vector = TRY(irq::line_for_gsi(gsi));
        entries[number] = {.kind = PirqKind::gsi, .vector = vector, .gsi = gsi};
        return number;
    });
}

Result<Pirq> map_msi(Domain& domain, const MsiRequest& r, s32 wanted)
{
    if (r.count == 0 || r.count > max_messages || (r.table_base && r.count != 1))
        return Error::inval;
    return with_table(domain, [&](PirqEntry* entries) -> Result<u32> {
        const pci::MsiTarget target =
            TRY(r.table_base ? pci::find_msix(r.function, r.entry, r.table_base) : pci::find_msi(r.function, 1u << log2_ceil(r.count)));
        if (irq::msi_in_use(target))
            return Error::exist;
        const u32 first = TRY(choose(entries, r.count, wanted));
        const Vector vector = TRY(irq::lines_for_msi(target, r.count));
        for (u32 i = 0; i < r.count; i++)
            entries[first + i] = {.kind = PirqKind::msi, .vector = vector + u8(i), .function = r.function};
        return first;
    });
}

Result<Pirq> reserve(Domain& domain)
{
    return with_table(domain, [](PirqEntry* entries) -> Result<u32> {
        const u32 number = TRY(choose(entries, 1, -1));
        entries[number].kind = PirqKind::reserved;
        return number;
    });
}

Status unmap(Domain& domain, Pirq pirq)
{
    return with_entry(domain, pirq, PirqKind::reserved, [](PirqEntry& entry) -> Status {
        if (entry.port) // the channel goes first
            return Error::busy;
        release(entry);
        return success;
    });
}

Status bind(Domain& domain, Pirq pirq, u32 port)
{
    return with_entry(domain, pirq, PirqKind::gsi, [&](PirqEntry& entry) -> Status {
        if (entry.port)
            return Error::exist;
        TRY(irq::attach(entry.vector, domain.id, pirq, port));
        entry.port = port;
        irq::start(entry.vector);
        return success;
    });
}

void unbind(Domain& domain, Pirq pirq)
{
    (void)with_entry(domain, pirq, PirqKind::gsi, [](PirqEntry& entry) -> Status {
        if (std::exchange(entry.port, 0))
            irq::detach(entry.vector);
        return success;
    });
}

Status eoi(Domain& domain, Pirq pirq)
{
    return with_entry(domain, pirq, PirqKind::gsi, [](PirqEntry& entry) -> Status {
        if (entry.port)
            irq::finish(entry.vector);
        return success;
    });
}

Result<bool> needs_eoi(Domain& domain, Pirq pirq)
{
    if (pirq.raw() >= limit)
        return Error::inval;
    return with_entry(domain, pirq, PirqKind::gsi, [](PirqEntry& entry) -> Result<bool> { return irq::needs_finish(entry.vector); })
        .value_or(false);
}

void set_target_cpu(Domain& domain, Pirq pirq, CpuId cpu)
{
    (void)with_entry(domain, pirq, PirqKind::gsi, [&](PirqEntry& entry) -> Status {
        if (entry.port)
            irq::set_target_cpu(entry.vector, cpu);
        return success;
    });
}

Status restore_msi(Domain& domain, pci::Function function)
{
    Guard guard(domain.pirqs.lock);
    Status result = success;
    for (u32 i = 0; domain.pirqs.entries && i < limit; i++) {
        const PirqEntry& entry = domain.pirqs.entries[i];
        if (entry.kind == PirqKind::msi && entry.function == function)
            if (const Status one = irq::restore_msi(entry.vector); !one.ok())
                result = one;
    }
    return result;
}

void release_all(Domain& domain)
{
    PirqEntry* entries = nullptr;
    {
        Guard guard(domain.pirqs.lock);
        for (u32 i = 0; domain.pirqs.entries && i < limit; i++)
            release(domain.pirqs.entries[i]);
        std::swap(entries, domain.pirqs.entries);
    }
    heap::free(entries);
}

} // namespace tenon::pirqs
