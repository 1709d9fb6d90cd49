// Host answer to FrameView: frames are pages of one shared memory object.
#pragma once
#include <fake/memory.hpp>
#include <tenon/mm/frame_table.hpp>

namespace tenon {

template <class T> FrameView<T>::FrameView(Mfn mfn) : base_(reinterpret_cast<T*>(fake::open_frame(mfn))) {}
template <class T> FrameView<T>::FrameView(const Frame& frame) : FrameView(mfn_of(frame)) {}
template <class T> FrameView<T>::~FrameView() { fake::close_frame(); }

} // namespace tenon
