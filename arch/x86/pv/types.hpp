// Type references on frames: the heart of PV safety. A page-table type is taken only under the owner's mm_lock; the writable type
// may be taken from anywhere. See docs/memory.md for the states of a frame.
#pragma once
#include "../mm/pte.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/mm/frame_table.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86::pv {

/// Takes references of a type that is not a page table's. The word as it was before: with count 0, the frame's contents are still to be
/// looked at. Error::inval while the frame is anything else.
Result<TypeWord> take_type(Frame& frame, FrameType type, u32 count = 1);
/// Taken for RW mappings, grants, plain writes. Error::inval while the frame is anything else.
RARE_CALL Status get_writable_slowly(Frame& frame, u32 count);
/// In the usual case: it is writable already, or was.
[[gnu::always_inline]] inline bool try_get_writable(Frame& frame, u32 count = 1)
{
    u64 old = frame.type.load(std::memory_order_relaxed);
    // One comparison: the type, no flags, and not too many references.
    return old - TypeWord::of(FrameType::writable, 0).raw < Frame::refs_limit &&
           frame.type.compare_exchange_strong(old, old + count, std::memory_order_acq_rel);
}
[[gnu::always_inline]] inline Status get_writable(Frame& frame, u32 count = 1)
{
    return try_get_writable(frame, count) ? Status(success) : get_writable_slowly(frame, count);
}
/// `mapped`: translations may linger, so the next change of type needs a flush.
[[gnu::always_inline]] inline void put_writable(Frame& frame, bool mapped = true, u32 count = 1)
{
    // The stamp comes first: whoever sees count 0 sees it.
    if (mapped)
        frame.leave_stamp(arch::tlb_stamp());
    frame.type.fetch_sub(count, std::memory_order_acq_rel);
}

/// A reference on a frame that a guest named, until the end of the scope; or for longer, by keep().
class FrameRef {
public:
    explicit FrameRef(Frame* frame = nullptr) : frame_(frame) {}
    FrameRef(FrameRef&& other) : frame_(std::exchange(other.frame_, nullptr)) {}
    ~FrameRef()
    {
        if (frame_)
            frame_->put();
    }
    Frame& operator*() const { return *frame_; }
    Frame* operator->() const { return frame_; }
    Frame& keep() { return *std::exchange(frame_, nullptr); }

private:
    Frame* frame_;
};
/// Error::inval when it is no memory of `owner`'s.
inline Result<FrameRef> hold(Mfn mfn, DomainId owner)
{
    Frame* frame = get_frame(mfn, owner);
    return frame ? Result<FrameRef>(FrameRef(frame)) : Error::inval;
}
/// Writes to a page that is no table. `write` gets its address.
template <class T = u8, class F> Status write_page(Frame& frame, F&& write)
{
    TRY(get_writable(frame));
    write(FrameView<T>(frame).get());
    put_writable(frame, false);
    return success;
}
/// The same, to a page of the domain's.
template <class F> Status write_page(const Domain& domain, Mfn mfn, F&& write) { return write_page(*TRY(hold(mfn, domain.id)), write); }

/// Takes a page-table type, validating the table if nobody did. Error::restart: position saved, call again.
/// The caller holds a general reference. `domain` owns the frame; its mm_lock is held.
Status get_table(Domain& domain, Frame& frame, unsigned level);
/// Drops it; the last one releases what the entries hold. Error::restart: the reference is still held, call again.
Status put_table(Domain& domain, Frame& frame);
/// The same, and then the general reference that was held with it: what a present entry above level 1 had, or a base pointer.
Status drop_table(Domain& domain, Mfn mfn);

constexpr bool is_hypervisor_slot(unsigned level, unsigned index) { return level == 4 && index >= first_slot && index <= last_slot; }
/// Checks an entry that a guest wants at a level above 1, and takes the references it will hold; corrects its bits. Nothing is changed
/// on error.
Status take_upper_entry(Domain& domain, Pte& at, unsigned level);
/// A present level-1 entry that maps no memory of ours: a device's register, for whom that is allowed.
RARE_CALL Status take_device_entry(const Domain& domain, Pte entry);

/// The frame table, as a loop holds it in registers; positions are in bytes.
struct FrameRecords {
    u8* base = reinterpret_cast<u8*>(frame_table::base);
    u64 bytes = frame_table::bytes;
    static u64 position(Pte entry) { return (entry.raw & Pte::frame_bits) / (page_size / sizeof(Frame)); }
    bool covers(u64 position) const { return position < bytes; }
    Frame& at(u64 position) const { return *reinterpret_cast<Frame*>(base + position); }
};

/// The same two for level 1, where almost all entries are. First the references, of an entry whose bits are right; `from` owns its frame.
[[gnu::always_inline]] inline Status take_l1_frame(Domain& domain, Pte entry, DomainId from, const FrameRecords& records = {})
{
    const u64 position = records.position(entry);
    if (!records.covers(position)) [[unlikely]]
        return take_device_entry(domain, entry);
    Frame& frame = records.at(position);
    if (!frame.get(from)) [[unlikely]]
        return take_device_entry(domain, entry);
    if (entry.is_writable())
        if (Status s = get_writable(frame); !s) [[unlikely]] {
            frame.put();
            return s;
        }
    return success;
}
/// Drops what a present level-1 entry held.
[[gnu::always_inline]] inline void drop_l1_frame(Pte entry, const FrameRecords& records = {})
{
    const u64 position = records.position(entry);
    if (!records.covers(position)) [[unlikely]]
        return;
    Frame& frame = records.at(position);
    if (frame.owner == dom_io.raw()) [[unlikely]]
        return;
    if (entry.is_writable())
        put_writable(frame);
    frame.put();
}
inline void drop_l1_entry(Pte entry)
{
    if (entry.is_present())
        drop_l1_frame(entry);
}

/// A partially validated table that nobody works on: releases what it holds. Part of destruction and of retyping.
Status release_partial(Domain& domain, Frame& frame);

/// Finishes a release that an earlier call of this vCPU could not. `tables` is the domain whose mm_lock is held: the control domain
/// working on another's tables does not stop half-way, so that nothing is ever left under the wrong lock.
RARE_CALL Status finish_deferred_table(Vcpu& vcpu, Domain& tables);
inline Status finish_deferred(Vcpu& vcpu, Domain& tables)
{
    return vcpu.deferred_table == invalid_mfn ? Status(success) : finish_deferred_table(vcpu, tables);
}

/// Boot: the frame of a device that Tenon drives itself is never given to anyone.
void forbid_device(Mfn mfn);

} // namespace tenon::x86::pv
