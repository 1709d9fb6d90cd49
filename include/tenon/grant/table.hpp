// Grant table of a domain: what it lets others map or copy, and what it has mapped of others. [public header grant_table.h]
// Invariant: an entry has GTF_reading while it has users, GTF_writing while some of them may write.
#pragma once
#include <abi/grant_table.h>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

/// Active use of one grant entry by others. While there is any, the frame is the one that was granted at first.
struct ActiveGrant {
    u32 readers = 0, writers = 0; ///< mappings and copies that read only, or also write
    u32 frame = 0;
    u16 user = 0; ///< the domain that uses it
};

/// One mapping that this domain holds of a foreign grant, indexed by handle. Besides the page-table entry's own references it
/// holds one of the frame, and, when writable, one of its type.
struct MapTrack {
    u32 ref = 0, frame = 0;
    std::atomic<u16> flags{0}; ///< GNTMAP_*; 0: free, or being mapped or unmapped
    u8 uses = 0;               ///< being unmapped: references left to drop, with those of a cleared entry
    bool may_write = false;    ///< being unmapped
    u32 next = 0;              ///< free, or being unmapped: the next such handle
};
static_assert(sizeof(MapTrack) == 16);

struct GrantTable : Pinned {
    static constexpr unsigned entries_per_frame = page_size / sizeof(grant_entry_v1), tracks_per_frame = 256;
    SpinLock<Rank::grant> lock;
    u32 max_frames = 0, max_maptrack_frames = 0;
    u32 frame_count = 0;
    CommPage* frames = nullptr;     ///< max_frames entries
    ActiveGrant** active = nullptr; ///< records for each table frame
    MapTrack** maptrack = nullptr;  ///< pieces of records
    std::atomic<u32> maptrack_count{0};
    u32 maptrack_free = ~0u; ///< head of the free list, ~0 none
    u32 unmap_position = 0;  ///< of unmap_all
};

namespace grants {
Status init(Domain& domain, u32 max_frames, u32 max_maptrack_frames);
/// Grows to `count` frames; frames already there stay.
Status grow(Domain& domain, u32 count);
/// The frame that the resource interface and setup_table hand out; grows when needed.
Result<Mfn> shared_frame(Domain& domain, u32 index);
/// Drops every mapping this domain holds (destruction); resumable.
Status unmap_all(Domain& domain);
void free_tables(Domain& domain);
} // namespace grants

namespace arch {
/// Installs a foreign frame in the current vCPU's page tables: by virtual address, or (contains_pte) by the machine address of
/// the L1 entry. From the caller it takes over one reference of the frame, and of the writable type if it maps so. Errors are
/// GNTST_* numbers, 0 is GNTST_okay.
s16 map_grant(Vcpu& vcpu, u64 host_addr, u32 gnt_flags, Mfn mfn);
/// Clears the entry if it still maps `mfn`, and hands its references over: to be dropped after the flush.
s16 unmap_grant(Vcpu& vcpu, u64 host_addr, u32 gnt_flags, Mfn mfn);
/// After a batch of unmaps: no CPU keeps a translation of what was unmapped.
void flush_after_unmap(Vcpu& vcpu);
/// Takes or drops a writable type reference (RW mapping, copy destination) on a frame that is already referenced.
bool get_writable(Frame& frame, u32 count = 1);
/// `mapped`: translations may linger, so the next change of type needs a flush.
void put_writable(Frame& frame, bool mapped = true, u32 count = 1);
} // namespace arch
} // namespace tenon
