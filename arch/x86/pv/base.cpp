// Base pointers: the tables that a vCPU runs on, in its kernel's mode and in its users'.
#include "../cpu/per_cpu.hpp"
#include "../mm/paging.hpp"
#include "../mm/tlb_tags.hpp"
#include "pin.hpp"
#include "update.hpp"
#include <tenon/arch/memory.hpp>

namespace tenon::x86::pv {

void load_tables(Vcpu& vcpu)
{
    PerCpu& cpu = this_cpu();
    u64 clock = arch::tlb_clock();
    tlb_tags::load_and_forget(tlb_tags::cr3_of(vcpu.arch.kernel_table, tlb_tags::Tag::kernel));
    cpu.flushed_at.store(clock, std::memory_order_release);
}

namespace {

bool is_kernel_base(Domain& domain, Mfn l4)
{
    bool found = false;
    domain.for_each_vcpu([&](Vcpu& vcpu) { found |= vcpu.arch.kernel_table == l4; });
    return found;
}

/// A table that a guest uses for both modes keeps what kernel mode needs: Tenon runs on it.
void prepare_for(Domain& domain, Mfn l4, GuestMode mode)
{
    if (is_for_kernel_mode(l4) == (mode == GuestMode::kernel) || (mode == GuestMode::user && is_kernel_base(domain, l4)))
        return;
    install_slots(l4, domain.arch, mode);
}

} // namespace

Status set_base(Vcpu& vcpu, Mfn& slot, Mfn mfn)
{
    Domain& domain = vcpu.domain;
    const bool is_kernel = &slot == &vcpu.arch.kernel_table;
    auto load = [&] {
        if (is_kernel)
            load_tables(vcpu);
        else // loaded on the way there
            tlb_tags::forget_user();
    };
    if (mfn == slot) { // a guest's way to flush
        if (&vcpu == &arch::current_vcpu())
            load();
        return success;
    }
    if (mfn != invalid_mfn) {
        FrameRef frame = TRY(hold(mfn, domain.id));
        TRY(get_table(domain, *frame, 4));
        frame.keep();
    }
    const Mfn old = std::exchange(slot, mfn);
    if (mfn != invalid_mfn)
        prepare_for(domain, mfn, is_kernel ? GuestMode::kernel : GuestMode::user);
    if (&vcpu == &arch::current_vcpu()) {
        publish_tables(this_cpu(), vcpu);
        load();
    }
    if (old != invalid_mfn) {
        if (put_table(domain, frame_at(old)))
            frame_at(old).put();
        else
            vcpu.deferred_table = old;
    }
    return success;
}

} // namespace tenon::x86::pv
