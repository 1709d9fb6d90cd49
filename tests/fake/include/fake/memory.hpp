// Machine memory on the host: frames with contents, a frame table, and guest memory that can fault.
#pragma once
#include <span>
#include <tenon/addr.hpp>

namespace tenon::fake {

/// A machine with frames [0, frames); [1, ram) is RAM, given to the allocator unless `empty`. Replaces an earlier one.
void make_memory(u64 frames, u64 ram, bool empty = false);

/// Recounts the allocator's free blocks from the frame table; aborts on a difference.
void audit_frames();
/// Of the blocks that are free, or -1.
int largest_free_order();

u8* frame_bytes(Mfn mfn);
u8* open_frame(Mfn mfn); ///< like frame_bytes, counted as an open view
void close_frame();
int open_views();

/// Memory that the current guest can read and write; everything else faults. The bytes are ordinary host memory.
void add_guest_memory(void* start, u64 bytes);
void remove_guest_memory(void* start);
/// Shorthand: an object of the test's as guest memory for the life of this value.
struct GuestWindow {
    GuestWindow(void* start, u64 bytes) : start_(start) { add_guest_memory(start, bytes); }
    ~GuestWindow() { remove_guest_memory(start_); }
    GuestWindow(const GuestWindow&) = delete;

private:
    void* start_;
};

/// TLB flushes asked for, and the newest stamp among them.
u64 tlb_flushes();
u64 newest_flush();
/// Called in every flush, before it is done; nullptr: none.
void on_flush(void (*hook)());
/// What arch::set_m2p() set.
u64 get_m2p(Mfn mfn);
/// Counts frames zeroed by arch::clear_frame.
u64 cleared_frames();

} // namespace tenon::fake
