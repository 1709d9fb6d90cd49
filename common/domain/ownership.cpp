// Which frames a domain has: a list through the frame records. A frame is on its owner's list from add_page() until its last
// reference goes; the allocation itself holds one reference, which give_back() drops once.
#include "domain_list.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon {
namespace {

void push(u32& head, Frame& frame)
{
    u32 number = u32(mfn_of(frame).raw());
    frame.prev = 0;
    frame.next = head;
    if (head)
        frame_at(Mfn{head}).prev = number;
    head = number;
}

/// A communication page is in no list, but it counts among what keeps its domain.
constexpr u32 comm_mark = Frame::unlisted - 1;

void unlink(Domain& domain, Frame& frame)
{
    u32 number = u32(mfn_of(frame).raw());
    if (frame.prev)
        frame_at(Mfn{frame.prev}).next = frame.next;
    else
        (domain.page_list == number ? domain.page_list : domain.kept_list) = frame.next;
    if (frame.next)
        frame_at(Mfn{frame.next}).prev = frame.prev;
}

/// Puts allocated frames on the list, all or none.
Status admit(Domain& domain, Mfn first, u64 count)
{
    {
        Guard guard(domain.pages_lock);
        if (domain.is_dying() || domain.total_pages + count > domain.max_pages)
            return Error::nomem;
        domain.total_pages += count;
        domain.holdings += count;
        domain.admitting++; // give_back_all() waits for the end of what began before
    }
    for (u64 done = 0; done < count;) {
        Guard guard(domain.pages_lock); // in pieces: others wait for it with interrupts off
        for (u64 end = min(done + 512, count); done < end; done++) {
            Frame& frame = frame_at(first + done);
            frame.mark_allocated();
            push(domain.page_list, frame);
        }
    }
    Guard guard(domain.pages_lock);
    domain.admitting--;
    return success;
}

} // namespace

void frame_released(Frame& frame)
{
    Domain* domain = domains::owner_of(frame); // the frame kept it
    ASSERT(domain);
    bool last;
    {
        Guard guard(domain->pages_lock);
        if (frame.next != comm_mark) {
            unlink(*domain, frame);
            domain->total_pages--;
        }
        frame.next = frame.prev = Frame::unlisted;
        last = --domain->holdings == 0;
    }
    if (last)
        domains::put(*domain);
}

namespace domains {

Result<Mfn> add_page(Domain& domain, unsigned address_bits)
{
    if (domain.total_pages >= domain.max_pages)
        return Error::nomem;
    Mfn mfn = TRY(frame_allocator::allocate(domain.id, 0, address_bits));
    if (Status done = admit(domain, mfn, 1); !done.ok()) {
        frame_at(mfn).put();
        return done.error();
    }
    return mfn;
}

Status add_block(Domain& domain, Mfn first, unsigned order) { return admit(domain, first, bit(order)); }

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

Frame* next_page(Domain& domain, Frame* after)
{
    Frame* found = nullptr;
    {
        Guard guard(domain.pages_lock);
        for (u32 at = after ? after->next : domain.page_list; at && !found; at = frame_at(Mfn{at}).next)
            if (frame_at(Mfn{at}).get(domain.id)) // otherwise it is going, and waits for the lock
                found = &frame_at(Mfn{at});
    }
    if (after)
        after->put();
    return found;
}

CommPage add_comm_page(Domain& domain)
{
    CommPage page = allocate_comm_page(domain.id);
    if (page) {
        Frame& frame = frame_at(page.mfn);
        Guard guard(domain.pages_lock);
        frame.next = frame.prev = comm_mark;
        domain.holdings++;
    }
    return page;
}

void release_memory_claim(Domain& domain)
{
    bool last;
    {
        Guard guard(domain.pages_lock);
        last = --domain.holdings == 0;
    }
    if (last)
        put(domain);
}

Status give_back_all(Domain& domain)
{
    for (;;) {
        for (unsigned i = 0; i < 256; i++) {
            Frame* frame;
            bool got;
            {
                Guard guard(domain.pages_lock);
                if (!domain.page_list && !domain.admitting)
                    return success;
                if (!domain.page_list)
                    break;
                frame = &frame_at(Mfn{domain.page_list});
                got = frame->get(domain.id); // not when its last reference is going: frame_released() waits for the lock
                unlink(domain, *frame);
                push(domain.kept_list, *frame);
            }
            if (got && frame->take_allocation())
                frame->put();
            if (got)
                frame->put();
        }
        if (arch::should_yield())
            return Error::restart;
    }
}

} // namespace domains
} // namespace tenon
