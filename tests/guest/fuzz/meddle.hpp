// What this is: what a control domain may do to a domain that runs, done at bad moments: to its tables, frames, vCPUs, channels.
#pragma once

#include "../lib/event.hpp"
#include "values.hpp"

namespace guest::fuzz {

class Meddler {
public:
    explicit Meddler(u64 seed) : dice_{seed * 0x9e3779b97f4a7c15 + 7} {}
    ~Meddler() { show_nothing(); }

    void act(Replica& r)
    {
        xen_domctl op{};
        u64 frame = r.frames[dice_.one_in(3) ? Replica::l4 + dice_.below(8)
                                             : Replica::image_pfn + dice_.below(pfn_of(image_end) - Replica::image_pfn)];
        switch (dice_.below(12)) {
        case 0:
        case 1: // a view of a frame that its owner uses, types, gives back
            show_nothing();
            map_foreign(r.id, frame, view_va(), dice_.one_in(2) ? pte_rw : pte_ro);
            return;
        case 2: mmuext(static_cast<u32>(dice_.below(5)), frame, 0, r.id); return;
        case 3:
            if (domctl(op, XEN_DOMCTL_pausedomain, r.id) == 0)
                domctl(op, XEN_DOMCTL_unpausedomain, r.id);
            return;
        case 4: {
            static vcpu_guest_context context;
            op.u.vcpucontext.vcpu = static_cast<u32>(dice_.below(5));
            op.u.vcpucontext.ctxt = number(&context);
            domctl(op, dice_.one_in(3) ? XEN_DOMCTL_setvcpucontext : XEN_DOMCTL_getvcpucontext, r.id);
            return;
        }
        case 5: { // an entry of a table that may be one at this moment
            u64 value =
                dice_.one_in(2) ? 0 : r.frames[Replica::image_pfn + dice_.below(0x100)] << page_shift | dice_.of(pte_rw, pte_ro, pte_table);
            mmu_update_one(frame << page_shift | (dice_.below(512) * 8), value, r.id | (r.id + 1ul) << 16);
            return;
        }
        case 6: {
            long port = alloc_unbound(r.id);
            if (port > 0)
                send(static_cast<u32>(port)), close_port(static_cast<u32>(port));
            return;
        }
        case 7: {
            long port = bind_interdomain(r.id, static_cast<u32>(dice_.below(24)));
            if (port > 0)
                send(static_cast<u32>(port)), close_port(static_cast<u32>(port));
            return;
        }
        case 8: domctl(op, XEN_DOMCTL_sendtrigger, r.id); return;
        case 9: {
            u64 list[4] = {0x500 + dice_.below(64), frame, 0x580, 0x581};
            bool more = dice_.one_in(2);
            xen_memory_reservation memory{number(more ? list : list + 1), more ? 2ul : 1ul, 0, 0, r.id};
            memory_op(more ? XENMEM_populate_physmap : XENMEM_decrease_reservation, &memory);
            return;
        }
        case 10: mmu_update_one(frame << page_shift | MMU_MACHPHYS_UPDATE, dice_.roll() >> dice_.below(64), r.id); return;
        case 11:
            mmuext(dice_.one_in(2) ? MMUEXT_CLEAR_PAGE : MMUEXT_COPY_PAGE, r.frames[Replica::image_pfn + 0x60 + dice_.below(32)], frame,
                   r.id);
            return;
        }
    }

private:
    static u64 view_va()
    {
        static u64 va = take_empty_va();
        return va;
    }
    void show_nothing() { map_foreign(DOMID_SELF, 0, view_va(), 0); }

    Dice dice_;
};

} // namespace guest::fuzz
