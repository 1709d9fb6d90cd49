// Mfn to Frame and back. The table covers [0, end) of machine memory; frames that are not RAM belong to dom_io.
#pragma once
#include <tenon/mm/frame.hpp>

namespace tenon {

namespace frame_table {
extern Frame* base; ///< set once at boot
extern u64 end;     ///< first frame number beyond the table
extern u64 bytes;   ///< the table's size
inline bool covers(Mfn mfn) { return mfn.raw() < end; }
/// Makes every record in [memory, memory + frames) one of a frame that is not RAM, and the allocator empty. Boot.
void init(Frame* memory, u64 frames);
/// RAM that Tenon uses itself from boot on: image, tables, per-CPU areas.
void claim(Mfn first, u64 count);
} // namespace frame_table

/// True when the frame is memory that Tenon manages (RAM at boot), not a device or a firmware table.
inline bool is_ram(Mfn mfn) { return frame_table::covers(mfn) && frame_table::base[mfn.raw()].owner != dom_io.raw(); }

/// The record of a frame that the table covers.
inline Frame& frame_at(Mfn mfn) { return frame_table::base[mfn.raw()]; }
inline Mfn mfn_of(const Frame& frame) { return Mfn{u64(&frame - frame_table::base)}; }

/// Drops a reference of each: frees what nobody else has.
inline void put_frames(Mfn first, u64 count)
{
    for (u64 i = 0; i < count; i++)
        frame_at(first + i).put();
}

/// The record of a number that a guest gave, with a reference; nullptr when it is no memory of `owner`'s.
inline Frame* get_frame(Mfn mfn, DomainId owner, u32 count = 1)
{
    if (!frame_table::covers(mfn)) [[unlikely]]
        return nullptr;
    Frame& frame = frame_at(mfn);
    return frame.get(owner, count) ? &frame : nullptr; // not for what is no RAM: that has no references
}

/// A list through the records. A frame is in at most one.
struct FrameList {
    u32 first = 0; ///< frame number; 0: empty (frame 0 is never in a list)
    void push(Frame& frame)
    {
        u32 number = u32(mfn_of(frame).raw());
        frame.prev = 0;
        frame.next = first;
        if (first)
            frame_at(Mfn{first}).prev = number;
        first = number;
    }
    void remove(Frame& frame)
    {
        (frame.prev ? frame_at(Mfn{frame.prev}).next : first) = frame.next;
        if (frame.next)
            frame_at(Mfn{frame.next}).prev = frame.prev;
        frame.next = frame.prev = Frame::unlisted;
    }
};

} // namespace tenon
