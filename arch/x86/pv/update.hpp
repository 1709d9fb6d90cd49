// Changing one page-table entry: the one place where guests' tables are written.
#pragma once
#include "types.hpp"
#include <tenon/hypercall/call.hpp>

namespace tenon::x86::pv {

enum class AdBits : u8 { replace, preserve };

/// Writes `value` into entry `index` of a table that has a type reference at `level`. `from` owns the frame a level-1 entry maps.
/// The mm_lock is held. Error::restart: the write is not done (value) — call again; a release that could not end is deferred.
Status write_entry(Vcpu& caller, Domain& domain, Frame& table, unsigned index, Pte value, unsigned level, DomainId from, AdBits ad);

/// The level-1 entry for `va` in the vCPU's kernel tables.
struct EntryPlace {
    Mfn table = invalid_mfn;
    unsigned index = 0;
};
Result<EntryPlace> find_l1(Mfn l4, GuestVa va);

/// Loads a vCPU's tables and remembers it; everything older leaves this CPU's TLB.
void load_tables(Vcpu& vcpu);
/// CPUs that hold the state of one of the domain's vCPUs.
CpuSet cpus_of(Domain& domain);

/// The public meaning of a domid argument: whose tables, whose frames.
struct Subjects {
    DomainRef tables, frames;
    DomainId frames_id;
};
Result<Subjects> resolve_subjects(Call& call, u32 domid);

} // namespace tenon::x86::pv
