// The tables of own maps. Pure: it runs in a unit test, too.
#include "own_map.hpp"
#include "paging.hpp"
#include <tenon/mm/heap.hpp>

namespace tenon::x86 {

namespace {

/// A zeroed page, where there is none yet.
template <class T> bool make(T*& page) { return page || (page = static_cast<T*>(heap::allocate(page_size))); }
/// Other CPUs may walk the tables at this moment.
void store(Pte& entry, Pte value) { std::atomic_ref(entry.raw).store(value.raw, std::memory_order_release); }
Pte link_to(const Pte* table) { return Pte::of(shared_frame(u64(table)), table_flags); }

} // namespace

Status OwnMap::init()
{
    gib_count_ = (frame_table::end + gib_frames - 1) / gib_frames;
    gibs_ = make_array<Gib>(gib_count_);
    if (!gibs_)
        return Error::nomem;
    for (u64 slot = 0; slot * entries_per_table < gib_count_; slot++)
        if (!make(l3_[slot]))
            return Error::nomem;
    return success;
}

OwnMap::~OwnMap()
{
    for (Gib* gib = gibs_; gib && gib < gibs_ + gib_count_; gib++) {
        for (unsigned i = 0; gib->l1 && i < entries_per_table; i++)
            heap::free(gib->l1[i]);
        heap::free(gib->l1);
        heap::free(gib->l2);
    }
    heap::free(gibs_);
    for (Pte* table : l3_)
        heap::free(table);
}

Pte OwnMap::root_entry(unsigned slot) const { return l3_[slot] ? link_to(l3_[slot]) : Pte{}; }

Status OwnMap::make_tables(u64 mfn)
{
    Gib& gib = gibs_[mfn / gib_frames];
    if (!make(gib.l2) || !make(gib.l1) || !make(gib.l1[mfn / block_frames % entries_per_table]))
        return Error::nomem;
    Pte& entry = l3_[mfn / gib_frames / entries_per_table][mfn / gib_frames % entries_per_table];
    if (!entry.is_present())
        store(entry, link_to(gib.l2));
    return success;
}

Status OwnMap::add(Mfn first, u64 count)
{
    const u64 end = first.raw() + count;
    for (u64 mfn = align_down(first.raw(), block_frames); mfn < end; mfn += block_frames) {
        Guard guard(lock_);
        TRY(make_tables(mfn));
    }
    for (u64 mfn = first.raw(); mfn < end;) {
        Guard guard(lock_); // in pieces: others wait for it with interrupts off
        Pte& entry = block_entry(mfn);
        if (mfn % block_frames == 0 && end - mfn >= block_frames && !entry.is_present()) {
            store(entry, Pte::of(Mfn{mfn}, data_flags | Pte::large));
            mfn += block_frames;
            continue;
        }
        Pte* table = block_table(mfn);
        if (!entry.is_present())
            store(entry, link_to(table));
        for (u64 stop = min(end, (mfn | (block_frames - 1)) + 1); mfn < stop; mfn++)
            store(table[mfn % block_frames], Pte::of(Mfn{mfn}, data_flags));
    }
    return success;
}

void OwnMap::remove(Mfn frame)
{
    const u64 mfn = frame.raw();
    Guard guard(lock_);
    Pte& entry = block_entry(mfn);
    Pte* table = block_table(mfn);
    if (entry.raw & Pte::large) { // a block that is one entry becomes a table of the same frames
        for (unsigned i = 0; i < entries_per_table; i++)
            table[i] = Pte::of(entry.mfn() + i, data_flags);
        store(entry, link_to(table));
    }
    store(table[mfn % block_frames], {});
}

} // namespace tenon::x86
