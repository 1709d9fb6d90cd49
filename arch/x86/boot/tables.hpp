// Frame table and machine-to-phys table at boot.
#pragma once

namespace tenon::x86 {
/// After build_address_space, before the frame allocator is used.
void build_tables();
} // namespace tenon::x86
