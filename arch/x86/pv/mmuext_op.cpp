// HYPERVISOR_mmuext_op: pins, base pointers, flushes, LDT. [public header xen.h]
#include "descriptors.hpp"
#include "flush.hpp"
#include "pin.hpp"
#include "update.hpp"
#include <abi/mmu.h>
#include <tenon/arch/memory.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

Status copy_page(Domain& domain, Mfn to, Mfn from)
{
    const FrameRef source = TRY(hold(from, domain.id));
    return write_page(domain, to, [&](u8* page) { __builtin_memcpy(page, FrameView<u8>(*source).get(), page_size); });
}

Status one_op(Call& call, Domain& domain, const mmuext_op& op)
{
    Vcpu& vcpu = call.vcpu;
    Mfn mfn{op.arg1.mfn};
    GuestVa va{op.arg1.linear_addr};
    bool own = &domain == &call.domain;
    switch (op.cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE: return pin(domain, mfn, op.cmd - MMUEXT_PIN_L1_TABLE + 1);
    case MMUEXT_UNPIN_TABLE: return unpin(domain, mfn);
    case MMUEXT_CLEAR_PAGE: return write_page(domain, mfn, [](u8* page) { __builtin_memset(page, 0, page_size); });
    case MMUEXT_COPY_PAGE: return copy_page(domain, mfn, Mfn{op.arg2.src_mfn});
    }
    if (!own)
        return Error::perm;
    switch (op.cmd) {
    case MMUEXT_NEW_BASEPTR:
        if (mfn == invalid_mfn)
            return Error::inval;
        return set_base(vcpu, vcpu.arch.kernel_table, mfn);
    case MMUEXT_NEW_USER_BASEPTR:
        if (mfn == invalid_mfn)
            return Error::inval;
        return set_base(vcpu, vcpu.arch.user_table, mfn.raw() ? mfn : invalid_mfn);
    case MMUEXT_TLB_FLUSH_MULTI:
    case MMUEXT_INVLPG_MULTI:
        return flush_vcpus(vcpu, GuestPtr<u64>(op.arg2.vcpumask), op.cmd == MMUEXT_INVLPG_MULTI ? FlushWhat::page : FlushWhat::all, va);
    case MMUEXT_TLB_FLUSH_ALL: return flush_vcpus(vcpu, {}, FlushWhat::all, va);
    case MMUEXT_INVLPG_ALL: return flush_vcpus(vcpu, {}, FlushWhat::page, va);
    case MMUEXT_FLUSH_CACHE:
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        if (!domain.arch.has_hardware)
            return Error::access;
        asm volatile("wbinvd" ::: "memory");
        return success;
    case MMUEXT_SET_LDT: return set_ldt(vcpu, va, op.arg2.nr_ents);
    default: note_refused(call, op.cmd, Error::nosys); return Error::nosys;
    }
}

} // namespace
} // namespace tenon::x86::pv

namespace tenon::hypercall {

using namespace x86::pv;

namespace {

/// `i` counts what is done.
Status run_ops(Call& call, Domain& target, GuestPtr<struct mmuext_op> list, u32 count, u32& i)
{
    struct mmuext_op op;
    for (; i < count; i++) {
        TRY((list + i).read_array(&op, 1));
        if (op.cmd == MMUEXT_TLB_FLUSH_LOCAL || op.cmd == MMUEXT_INVLPG_LOCAL) { // needs no lock
            if (&target != &call.domain)
                return Error::perm;
            flush_local(op.cmd == MMUEXT_INVLPG_LOCAL ? FlushWhat::page : FlushWhat::all, GuestVa{op.arg1.linear_addr});
            continue;
        }
        Guard guard(target.arch.mm_lock);
        TRY(finish_deferred(call.vcpu, target));
        TRY(one_op(call, target, op));
        if (!finish_deferred(call.vcpu, target)) { // done, but what it released is not
            i++;
            return Error::restart;
        }
    }
    return success;
}

} // namespace

CallResult mmuext_op(Call& call, u64 ops, u32 count, u64 done_at, u32 domid)
{
    TRY(finish_earlier(call.vcpu));
    GuestPtr<struct mmuext_op> list(ops);
    GuestPtr<u32> done_ptr(done_at);
    u32 done = 0, before = 0;
    if (count & continued) {
        count &= ~continued;
        if (!done_ptr.is_null())
            before = TRY(done_ptr.read());
    }
    Status result = success;
    if (u16(domid) == dom_self.raw()) [[likely]]
        result = run_ops(call, call.domain, list, count, done);
    else {
        DomainRef target = TRY(target_of(call, u16(domid)));
        result = run_ops(call, *target, list, count, done);
    }
    return finish_list(call, result, list, count, done, before, done_ptr);
}

} // namespace tenon::hypercall
