// x86 answer to FrameView.
#pragma once
#include <tenon_arch/layout.hpp>

namespace tenon {

template <class T> FrameView<T>::FrameView(Mfn mfn) : base_(static_cast<T*>(x86::open_frame(mfn))) {}
template <class T> FrameView<T>::~FrameView() { x86::close_frame(base_); }

} // namespace tenon
