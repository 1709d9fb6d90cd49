// See the header. The table's lock is held over calls into the line table, never the other way round.
#include <algorithm>
#include <span>
#include <tenon/domain/domain.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/irq/pirq.hpp>

namespace tenon::pirqs {
namespace {

constexpr unsigned limit = PirqTable::limit, max_messages = 32;

/// `wanted` if it is given and free, or reserved, else the highest free run: low numbers are the GSIs'. The dying get nothing more: what they
/// have is given back already, or will be when the lock is free.
Result<u32> choose(Domain& domain, unsigned count, s32 wanted)
{
    const auto is_free = [&](unsigned first) {
        return std::ranges::all_of(std::span(domain.pirqs.entries).subspan(first, count),
                                   [&](const PirqEntry& e) { return e.is_free() || (wanted >= 0 && !e.has_line()); });
    };
    if (domain.is_dying() || (wanted >= 0 && u32(wanted) > limit - count))
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

/// A number's entry, which stays as it is while this lives; nullptr for a number out of range.
struct Held {
    Held(Domain& domain, Pirq pirq) : guard(domain.pirqs.lock), entry(pirq.raw() < limit ? &domain.pirqs.entries[pirq.raw()] : nullptr) {}
    bool has_line() const { return entry && entry->has_line(); }
    bool is_bound() const { return entry && entry->is_bound; }
    Guard<SpinLock<Rank::pirq>> guard;
    PirqEntry* entry;
};

} // namespace

Result<Pirq> map_gsi(Domain& domain, u32 gsi, s32 wanted)
{
    const Vector vector = TRY(irq::line_for_gsi(gsi));
    Guard guard(domain.pirqs.lock);
    PirqEntry* const entries = domain.pirqs.entries;
    for (u32 i = 0; i < limit; i++)
        if (entries[i].vector == vector)
            return wanted < 0 || u32(wanted) == i ? Result<Pirq>(Pirq{i}) : Error::exist;
    const bool own_number_free = gsi < limit && entries[gsi].is_free();
    const u32 number = TRY(choose(domain, 1, wanted < 0 && own_number_free ? s32(gsi) : wanted));
    entries[number].vector = vector;
    return Pirq{number};
}

Result<Pirq> map_msi(Domain& domain, const MsiRequest& r, s32 wanted)
{
    if (r.count == 0 || r.count > max_messages || (r.table_base && r.count != 1))
        return Error::inval;
    Guard guard(domain.pirqs.lock);
    const pci::MsiTarget target =
        TRY(r.table_base ? pci::find_msix(r.function, r.entry, r.table_base) : pci::find_msi(r.function, 1u << log2_ceil(r.count)));
    const u32 first = TRY(choose(domain, r.count, wanted));
    const Vector vector = TRY(irq::lines_for_msi(target, r.count));
    for (u32 i = 0; i < r.count; i++)
        domain.pirqs.entries[first + i].vector = vector + u8(i);
    return Pirq{first};
}

Result<Pirq> reserve(Domain& domain)
{
    Guard guard(domain.pirqs.lock);
    const u32 number = TRY(choose(domain, 1, -1));
    domain.pirqs.entries[number].vector = PirqEntry::reserved;
    return Pirq{number};
}

Status unmap(Domain& domain, Pirq pirq)
{
    const Held held(domain, pirq);
    if (!held.entry || held.entry->is_free())
        return Error::inval;
    if (held.is_bound()) // the channel goes first
        return Error::busy;
    release(*held.entry);
    return success;
}

Status bind(Domain& domain, Pirq pirq, u32 port)
{
    const Held held(domain, pirq);
    if (!held.has_line())
        return Error::inval;
    if (held.is_bound())
        return Error::exist;
    TRY(irq::attach(held.entry->vector, domain.id, port));
    held.entry->is_bound = true;
    return success;
}

void unbind(Domain& domain, Pirq pirq)
{
    if (const Held held(domain, pirq); held.is_bound()) {
        irq::detach(held.entry->vector);
        held.entry->is_bound = false;
    }
}

Status eoi(Domain& domain, Pirq pirq)
{
    const Held held(domain, pirq);
    if (held.is_bound()) // else the line may be another domain's
        irq::finish(held.entry->vector);
    return held.has_line() ? Status(success) : Error::inval;
}

Result<bool> needs_eoi(Domain& domain, Pirq pirq)
{
    const Held held(domain, pirq);
    if (!held.entry)
        return Error::inval;
    return held.has_line() && irq::needs_finish(held.entry->vector);
}

void set_target_cpu(Domain& domain, Pirq pirq, CpuId cpu)
{
    if (const Held held(domain, pirq); held.is_bound())
        irq::set_target_cpu(held.entry->vector, cpu);
}

void release_all(Domain& domain)
{
    Guard guard(domain.pirqs.lock);
    for (PirqEntry& entry : domain.pirqs.entries)
        release(entry);
}

} // namespace tenon::pirqs
