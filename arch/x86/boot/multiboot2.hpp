// Multiboot2 information to BootInfo. Nothing in it is trusted: sizes, offsets and strings are checked against the whole.
#pragma once
#include <tenon/boot/boot_info.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::multiboot2 {

inline constexpr u32 loader_magic = 0x36d76289; ///< in EAX at entry
inline constexpr u64 max_bytes = u64{1} << 20;

/// Size that the information claims to have, header included; Error::inval when that cannot be.
Result<u64> size_of(const void* information);
/// Tags that are damaged are named in the log and left out. Error::inval when the list itself is broken before its end.
Result<Unit> parse(std::span<const u8> information, BootInfo& info);

} // namespace tenon::multiboot2
