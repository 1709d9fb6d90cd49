// What common code asks of the memory hardware: frame contents, TLBs, the machine-to-physical table, the heap's addresses.
#pragma once
#include <tenon/arch/cpu.hpp>
#include <tenon/mm/frame.hpp>

namespace tenon::arch {

/// Zeroes a frame.
void clear_frame(Mfn mfn);

/// The TLB clock: advances at each stamp; a CPU whose last full flush is newer than a stamp holds nothing older than it.
u64 tlb_stamp();
/// The clock now.
u64 tlb_clock();
/// Flushes every CPU in the set that may still hold translations older than `stamp`.
void flush_tlb_older_than(u64 stamp, const CpuSet& cpus);

/// The hypervisor's map of a domain's own memory, which is there only while that domain runs. Frames enter it before the domain owns
/// them, and leave it when the last reference is gone. Error::nomem: none of them did.
Status enter_own_map(Domain& domain, Mfn first, u64 count);
void leave_own_map(Domain& domain, Mfn mfn);

/// Takes a page of the image out of all address spaces and says which frame it is. Its old translations go with the next flush.
Mfn hide_page(void* page);

/// machine-to-phys entry of a frame (guest ABI): the owner's pfn, or ~0.
void set_m2p(Mfn mfn, u64 pfn);

/// The window of the hypervisor's heap: room for each frame whose address has so many bits.
inline constexpr unsigned heap_address_bits = 38;
HostVa heap_start(); ///< page aligned
/// Maps one page, read and write, visible on every CPU. May need a frame for a page table: called without locks of rank
/// allocator or above. Error::nomem when there is none.
Status heap_map(HostVa va, Mfn mfn);
/// Removes the page. Stale translations may live on: the heap does not use the address again
/// before flush_tlb_older_than(stamp taken after this call), which therefore must drop these translations, too.
void heap_unmap(HostVa va);
/// Frames that heap_map() took for page tables so far: they stay.
u64 heap_tables();

} // namespace tenon::arch

namespace tenon {

/// The only way to a frame's bytes. Short-lived; resolves to whatever mapping the address space design provides.
template <class T = u8> class FrameView : Pinned {
public:
    explicit FrameView(Mfn mfn);
    explicit FrameView(const Frame& frame); ///< the same, by the frame's record
    ~FrameView();
    T* get() const { return base_; }
    T& operator[](std::size_t i) const { return base_[i]; }
    T* operator->() const { return base_; }

private:
    T* base_;
};

} // namespace tenon

#include <tenon_arch/frame_view.hpp>
