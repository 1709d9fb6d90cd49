// x86 answer to FrameView: the own map of the running domain, or a window.
#pragma once
#include <tenon/mm/frame_table.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon {

template <class T> [[gnu::always_inline]] inline FrameView<T>::FrameView(Mfn mfn) : base_(x86::own_frame<T>(mfn))
{
    if (!frame_table::covers(mfn) || frame_at(mfn).owner != x86::running_domain()) [[unlikely]]
        base_ = static_cast<T*>(x86::open_window(mfn));
}
template <class T> [[gnu::always_inline]] inline FrameView<T>::FrameView(const Frame& frame) : base_(x86::own_frame<T>(mfn_of(frame)))
{
    if (frame.owner != x86::running_domain()) [[unlikely]]
        base_ = static_cast<T*>(x86::open_window(mfn_of(frame)));
}
template <class T> [[gnu::always_inline]] inline FrameView<T>::~FrameView() { x86::close_frame(base_); }

} // namespace tenon
