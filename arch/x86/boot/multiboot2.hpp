// Multiboot2 information to BootInfo. Nothing in it is trusted: sizes, offsets and strings are checked against the whole.
#pragma once
#include <tenon/boot/boot_info.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::multiboot2 {

inline constexpr u32 loader_magic = 0x36d76289; ///< in EAX at entry

/// Begins with its size. Tags that are damaged are named in the log and left out. Error::inval when the list itself is broken before its
/// end.
Status parse(std::span<const u8> information, BootInfo& info);

} // namespace tenon::multiboot2
