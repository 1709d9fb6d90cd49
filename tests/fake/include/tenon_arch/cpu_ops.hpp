// The instructions that change address translation, as a test answers them.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::x86 {

u64 read_cr3();
void write_cr3(u64 value);
void invalidate_page(u64 va);
void invpcid(u64 type, u64 tag, u64 va);

} // namespace tenon::x86
