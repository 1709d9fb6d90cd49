// Pins and base pointers: the references that keep a guest's tables typed without an entry pointing at them.
#include "pin.hpp"
#include "../mm/paging.hpp"
#include "update.hpp"
#include <tenon/arch/memory.hpp>

namespace tenon::x86::pv {

Status pin(Domain& domain, Mfn mfn, unsigned level)
{
    if (!is_ram(mfn) || !frame_at(mfn).get(domain.id))
        return Error::inval;
    Frame& frame = frame_at(mfn);
    Status s = frame.type_word().pinned() ? Status(Error::inval) : get_table(domain, frame, level);
    if (!s) {
        frame.put();
        return s;
    }
    frame.type.fetch_or(TypeWord::pinned_bit, std::memory_order_acq_rel); // the pin keeps both references
    return success;
}

Status unpin(Domain& domain, Mfn mfn)
{
    if (!is_ram(mfn) || !frame_at(mfn).get(domain.id))
        return Error::inval;
    Frame& frame = frame_at(mfn);
    Status s = frame.type_word().pinned() ? put_table(domain, frame) : Status(Error::inval);
    if (s) {
        frame.type.fetch_and(~TypeWord::pinned_bit, std::memory_order_acq_rel);
        frame.put();
    }
    frame.put();
    return s;
}

namespace {

/// The machine-to-phys table is the guest kernel's to read: a table loaded for user mode loses it.
void show_m2p(Mfn l4, bool visible)
{
    FrameView<Pte> to(l4), root(root_table);
    Pte entry = root[m2p_slot];
    entry.raw = visible ? (entry.raw | Pte::user) & ~Pte::writable : 0;
    if (to[m2p_slot] != entry)
        to[m2p_slot] = entry;
}

} // namespace

Status set_base(Vcpu& vcpu, Mfn& slot, Mfn mfn)
{
    Domain& domain = vcpu.domain;
    if (mfn == slot)
        return success;
    if (mfn != invalid_mfn) {
        if (!is_ram(mfn) || !frame_at(mfn).get(domain.id))
            return Error::inval;
        if (Status s = get_table(domain, frame_at(mfn), 4); !s) {
            frame_at(mfn).put();
            return s;
        }
    }
    Mfn old = slot;
    slot = mfn;
    if (mfn != invalid_mfn)
        show_m2p(mfn, &slot == &vcpu.arch.kernel_table);
    vcpu.arch.kernel_cr3 = vcpu.arch.kernel_table.raw() << page_shift;
    vcpu.arch.user_cr3 = vcpu.arch.user_table == invalid_mfn ? 0 : vcpu.arch.user_table.raw() << page_shift;
    if (&vcpu == &arch::current_vcpu())
        load_tables(vcpu);
    if (old != invalid_mfn) {
        if (put_table(domain, frame_at(old)))
            frame_at(old).put();
        else
            vcpu.deferred_table = old;
    }
    return success;
}

} // namespace tenon::x86::pv
