// One entry of a table above level 1 changes: references of the new value first, the store, then the old value's references.
#include "update.hpp"
#include <tenon/arch/memory.hpp>

namespace tenon::x86::pv {

Status write_upper_entry(Vcpu& caller, Domain& domain, Frame& table, unsigned index, Pte value, unsigned level, AdBits ad)
{
    if (is_hypervisor_slot(level, index))
        return Error::inval;
    TRY(take_upper_entry(domain, value, level));
    const Pte old = exchange_entry(&FrameView<Pte>(table)[index], value, ad);
    if (old.is_present() &&
        !drop_table(domain, old.mfn())) // takes longer: its reference is ours now and goes before anything else this vCPU does
        caller.deferred_table = old.mfn();
    return success;
}

} // namespace tenon::x86::pv
