// The frame table at boot, and the end of a frame's life with an owner.
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <new>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon {

namespace frame_table {

constinit Frame* base = nullptr;
u64 end;

void init(Frame* memory, u64 frames)
{
    base = memory;
    end = frames;
    for (u64 i = 0; i < frames; i++)
        (new (&memory[i]) Frame)->owner = dom_io.raw();
}

void claim(Mfn first, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        Frame& frame = frame_at(first + i);
        frame.owner = dom_xen.raw();
        frame.refs.store(1, std::memory_order_release);
    }
}

} // namespace frame_table

void Frame::last_reference_gone(Frame& frame)
{
    TypeWord word = frame.type_word();
    ASSERT(word.count() == 0 && !word.partial());
    if (frame.is_listed())
        frame_released(frame);
    frame.stamp = arch::tlb_stamp();
    frame_allocator::free(mfn_of(frame));
}

} // namespace tenon
