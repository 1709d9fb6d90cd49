// One record a machine frame: owner, references, type and type references. Pure state, no hardware; see docs/memory.md.
// Invariant: a frame is never writable by a guest while its type is a page table or a descriptor table.
#pragma once
#include <atomic>
#include <tenon/addr.hpp>
#include <tenon/lib/result.hpp>

namespace tenon {

enum class FrameType : u8 { none, writable, l1, l2, l3, l4, descriptor };
constexpr bool is_page_table(FrameType t) { return t >= FrameType::l1 && t <= FrameType::l4; }
constexpr unsigned level_of(FrameType t) { return unsigned(t) - unsigned(FrameType::l1) + 1; }
constexpr FrameType table_type(unsigned level) { return FrameType(unsigned(FrameType::l1) + level - 1); }

/// The type word. When the count is zero it still names the last type, because translations of that type may linger in TLBs
/// until a flush newer than Frame::stamp; `partial` says that `progress` entries of a table still hold references.
struct TypeWord {
    u64 raw = 0;
    static constexpr u64 count_mask = 0xffffffff, validated_bit = bit(32), pinned_bit = bit(33), partial_bit = bit(34),
                         flushing_bit = bit(35), ///< writable now; TLBs may still know it as a table
        free_bit = bit(36);                      ///< head of a free block; the count is then its order
    static constexpr u64 kept_bits = pinned_bit; ///< survive a change of type
    static constexpr unsigned type_shift = 56;
    constexpr FrameType type() const { return FrameType(raw >> type_shift); }
    constexpr u32 count() const { return u32(raw & count_mask); }
    constexpr bool validated() const { return raw & validated_bit; }
    constexpr bool pinned() const { return raw & pinned_bit; }
    constexpr bool partial() const { return raw & partial_bit; }
    constexpr bool flushing() const { return raw & flushing_bit; }
    /// A page table at `level` that is in use and has nothing pending. Stays so while its owner's mm_lock is held.
    constexpr bool is_valid_table(unsigned level) const
    {
        constexpr u64 asked = u64{0xff} << type_shift | validated_bit | partial_bit, wanted = validated_bit;
        return (u32(raw >> 32) & u32(asked >> 32)) == (u32(table_type(level)) << (type_shift - 32) | u32(wanted >> 32)); // the upper half
    }
    static constexpr TypeWord of(FrameType t, u32 count, u64 flags = 0) { return {u64(t) << type_shift | flags | count}; }
};

struct Frame : Pinned {
    std::atomic<u32> refs{0};             ///< references of any kind, and allocated_bit; 0: free or not memory
    u32 next = unlisted, prev = unlisted; ///< links by frame number (owner's list, free list); 0 ends a list
    u16 owner = dom_invalid.raw();
    u16 progress = 0;         ///< partial: entries [0, progress) hold references; of the heap's frames: see there
    std::atomic<u64> type{0}; ///< a TypeWord
    u64 stamp = 0;            ///< TLB clock when the last type reference or the frame itself was dropped: leave_stamp()

    DomainId owner_id() const { return DomainId{owner}; }
    TypeWord type_word() const { return {type.load(std::memory_order_acquire)}; }

    /// Takes a reference, or a few, if the frame belongs to `domain` and is in use.
    [[gnu::always_inline]] bool get(DomainId domain, u32 count = 1)
    {
        if (!try_get(count)) [[unlikely]]
            return get_slowly(*this, domain, count);
        if (owner == domain.raw()) [[likely]]
            return true;
        put(count);
        return false;
    }
    /// The same in the usual case, whoever owns it.
    [[gnu::always_inline]] bool try_get(u32 count = 1)
    {
        u32 n = refs.load(std::memory_order_relaxed);
        const bool usual = s32(n) < s32(allocated_bit | refs_limit); // signed: allocated, and not too many references
        return usual && refs.compare_exchange_strong(n, n + count, std::memory_order_acquire);
    }
    /// Drops references; the last one frees the frame.
    [[gnu::always_inline]] void put(u32 count = 1)
    {
        if (drop(count)) [[unlikely]]
            end();
    }
    /// The two halves of put(): true says that it was the last one.
    bool drop(u32 count = 1) { return refs.fetch_sub(count, std::memory_order_acq_rel) == count; }
    void end() { last_reference_gone(*this); }
    static constexpr u32 refs_limit = 0x70000000;

    /// Before a reference is dropped that TLBs may know. Of several at once the latest stamp stays: who finds that it replaced a later
    /// one brings that back. Meanwhile nobody relies on it, as the reference is still held.
    [[gnu::always_inline]] void leave_stamp(u64 now)
    {
        if (const u64 before = __atomic_exchange_n(&stamp, now, __ATOMIC_ACQ_REL); before > now) [[unlikely]]
            bring_back(*this, before);
    }

    /// Set in refs while one of the references is the owner's allocation itself, so that it can be given back only once.
    static constexpr u32 allocated_bit = 0x80000000;
    u32 ref_count() const { return refs.load(std::memory_order_acquire) & ~allocated_bit; }
    void mark_allocated() { refs.fetch_or(allocated_bit, std::memory_order_relaxed); }
    /// True for the one caller that now holds the allocation's reference, and has to put() it.
    bool take_allocation() { return refs.fetch_and(~allocated_bit, std::memory_order_acq_rel) & allocated_bit; }

    /// `next` of a frame that is in no list: the hypervisor's own, frames not yet given to a domain.
    static constexpr u32 unlisted = ~u32{0};
    bool is_listed() const { return next != unlisted; }

private:
    RARE_CALL static void bring_back(Frame& frame, u64 stamp);
    RARE_CALL static void last_reference_gone(Frame& frame);
    /// Also for a frame that was given back and is still in use; false for a free one, and at the limit.
    RARE_CALL static bool get_slowly(Frame& frame, DomainId domain, u32 count);
};
static_assert(sizeof(Frame) == 32);

/// Called when the last reference of a frame in its owner's list is gone: takes it off that list and out of the owner's account,
/// leaving it unlisted. Answered by the domain code.
void frame_released(Frame& frame);

} // namespace tenon
