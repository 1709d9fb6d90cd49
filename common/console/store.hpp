// Text that is somebody's: the log with what guests print, what was typed for dom0, a guest's unfinished line. It lies in pages that no
// address space has, once domains run; a view shows a piece of it while it is copied.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::console::store {

inline constexpr u32 ring_size = 32 * 1024, input_size = 512, line_size = 160;
inline constexpr u32 ring_at = 0, input_at = ring_at + ring_size, line_at = input_at + input_size, bytes = line_at + line_size;

void write(u32 at, const char* from, u32 length);
void read(u32 at, char* to, u32 length);

} // namespace tenon::console::store
