// One page-table entry changes: references of the new value first, the store, then the old value's references.
#include "update.hpp"
#include <tenon/arch/memory.hpp>

namespace tenon::x86::pv {

Status write_entry(Vcpu& caller, Domain& domain, Frame& table, unsigned index, Pte value, unsigned level, DomainId from, AdBits ad)
{
    FrameView<Pte> view(mfn_of(table));
    if (level == 1)
        return write_l1_entry(domain, &view[index], value, from, ad);
    if (level == 4 && index >= first_slot && index <= last_slot)
        return Error::inval;
    TRY(take_entry(domain, value, level, from));
    Pte old = exchange_entry(&view[index], value, ad);
    if (Status s = drop_entry(domain, old, level); !s) {
        // Only a table can take longer; its reference is ours now and goes before anything else this vCPU does.
        caller.deferred_table = old.mfn();
    }
    return success;
}

Result<Subjects> resolve_others(Call& call, u32 domid)
{
    Subjects s;
    u16 frames = u16(domid), tables = u16(domid >> 16);
    if (frames != dom_self.raw() && frames != call.domain.id.raw() && !call.domain.is_privileged)
        return Error::perm;
    if (tables && tables - 1 != call.domain.id.raw() && !call.domain.is_privileged)
        return Error::perm;
    s.tables_held = domains::find_for(call.vcpu, tables ? DomainId{u16(tables - 1)} : dom_self);
    if (!s.tables_held)
        return Error::srch;
    s.tables = &*s.tables_held;
    if (frames == dom_io.raw()) {
        s.frames_id = dom_io;
        return s;
    }
    s.frames_held = domains::find_for(call.vcpu, DomainId{frames});
    if (!s.frames_held)
        return Error::srch;
    s.frames_id = s.frames_held->id;
    return s;
}

} // namespace tenon::x86::pv
