// One page-table entry changes: references of the new value first, the store, then the old value's references.
#include "update.hpp"

namespace tenon::x86::pv {

Status write_entry(Vcpu& caller, Domain& domain, Frame& table, unsigned index, Pte value, unsigned level, DomainId from, AdBits ad)
{
    FrameView<Pte> view(mfn_of(table));
    if (level == 1)
        return write_l1_entry(domain, &view[index], value, from, ad);
    if (level == 4 && index >= first_slot && index <= last_slot)
        return Error::inval;
    TRY(take_upper_entry(domain, value, level));
    Pte old = exchange_entry(&view[index], value, ad);
    if (!drop_upper_entry(domain, old)) // takes longer: its reference is ours now and goes before anything else this vCPU does
        caller.deferred_table = old.mfn();
    return success;
}

} // namespace tenon::x86::pv
