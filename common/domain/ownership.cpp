// Which frames a domain has: a list through the frame records. A frame is on its owner's list from add_block() until its last
// reference goes; the allocation itself holds one reference, which give_back() drops once.
#include "domain_list.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon {
namespace {

/// A communication page is in no list, but it counts among what keeps its domain.
constexpr u32 comm_mark = Frame::unlisted - 1;

/// Off the list that it is on: only the one whose first it is needs to know.
void unlink(Domain& domain, Frame& frame)
{
    (domain.page_list.first == mfn_of(frame).raw() ? domain.page_list : domain.kept_list).remove(frame);
}

/// Makes frames the domain's: from here on it can name them.
void set_owner(Frame& frame, const Domain& domain) { std::atomic_ref(frame.owner).store(domain.id.raw(), std::memory_order_release); }

} // namespace

void frame_released(Frame& frame)
{
    Domain* domain = domains::owner_of(frame); // the frame kept it
    ASSERT(domain);
    arch::leave_own_map(*domain, mfn_of(frame));
    if (Guard guard(domain->pages_lock); frame.next == comm_mark) {
        frame.next = frame.prev = Frame::unlisted;
    } else {
        unlink(*domain, frame);
        domain->total_pages--;
    }
    domains::drop_holding(*domain);
}

namespace domains {

void drop_holding(Domain& domain)
{
    bool last;
    {
        Guard guard(domain.pages_lock);
        last = --domain.holdings == 0;
    }
    if (last)
        put(domain);
}

Status add_block(Domain& domain, Mfn first, unsigned order, Limit limit)
{
    const u64 count = bit(order);
    TRY(arch::enter_own_map(domain, first, count));
    bool fits;
    {
        Guard guard(domain.pages_lock);
        fits = !domain.is_dying() && (limit == Limit::waived || domain.total_pages + count <= domain.max_pages);
        if (fits) {
            domain.total_pages += count;
            domain.holdings += count;
            domain.admitting++; // give_back_all() waits for the end of this
        }
    }
    for (u64 i = 0; !fits && i < count; i++)
        arch::leave_own_map(domain, first + i);
    if (!fits)
        return Error::nomem;
    for (u64 done = 0; done < count;) {
        Guard guard(domain.pages_lock); // in pieces: others wait for it with interrupts off
        for (u64 end = min(done + 512, count); done < end; done++) {
            Frame& frame = frame_at(first + done);
            set_owner(frame, domain);
            frame.mark_allocated();
            domain.page_list.push(frame);
        }
    }
    Guard guard(domain.pages_lock);
    domain.admitting--;
    return success;
}

Result<Mfn> add_pages(Domain& domain, unsigned order, unsigned address_bits)
{
    if (domain.total_pages >= domain.max_pages)
        return Error::nomem;
    Mfn first = TRY(frame_allocator::allocate(dom_xen, order, address_bits));
    if (Status done = add_block(domain, first, order); !done.ok()) {
        put_frames(first, bit(order));
        return done.error();
    }
    return first;
}

bool give_back(Domain& domain, Mfn mfn)
{
    Frame& frame = frame_at(mfn);
    if (!frame.get(domain.id))
        return false;
    bool held = frame.take_allocation();
    if (held)
        frame.put();
    frame.put();
    return held;
}

CommPage add_comm_page(Domain& domain)
{
    CommPage page = allocate_comm_page();
    if (!page)
        return page;
    if (!arch::enter_own_map(domain, page.mfn, 1)) {
        free_comm_page(page);
        return page;
    }
    Frame& frame = frame_at(page.mfn);
    Guard guard(domain.pages_lock);
    set_owner(frame, domain);
    frame.next = frame.prev = comm_mark;
    domain.holdings++;
    return page;
}

Status give_back_all(Domain& domain)
{
    for (unsigned steps = 1;; steps++) {
        Frame* frame = nullptr;
        {
            Guard guard(domain.pages_lock);
            if (!domain.page_list.first)
                return domain.admitting ? Status(Error::restart) : success;
            // Left for later: a frame that somebody else just dropped is going, and waits for the lock; one that has all the references
            // it can have loses some with the tables that hold them.
            for (u32 at = domain.page_list.first; at && !frame; at = frame_at(Mfn{at}).next)
                if (frame_at(Mfn{at}).get(domain.id))
                    frame = &frame_at(Mfn{at});
        }
        if (frame) {
            Status done = arch::relinquish_frame(domain, *frame);
            if (done.ok()) {
                Guard guard(domain.pages_lock);
                domain.page_list.remove(*frame);
                domain.kept_list.push(*frame);
            }
            if (done.ok() && frame->take_allocation())
                frame->put();
            frame->put();
            TRY(done);
        }
        if (steps % 256 == 0 && arch::should_yield())
            return Error::restart;
    }
}

} // namespace domains
} // namespace tenon
