// Parts of the boot stage that start.cpp puts in order.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon {
struct BootInfo;
namespace x86 {

/// The machine cannot be started: one line that says why, then reboot, or halt with `noreboot`.
[[noreturn, gnu::format(printf, 1, 2)]] void boot_failure(const char* format, ...);
/// Frame table and machine-to-phys table. After build_address_space, before the frame allocator is used.
void build_tables();
/// Remembers what the boot loader and the firmware said, for dom0 and the tools.
void remember_machine(const BootInfo& info);

} // namespace x86
} // namespace tenon
