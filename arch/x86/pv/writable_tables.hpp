// A guest kernel writes a page table that it may only read: the write becomes a checked update.
#pragma once
#include "bounce.hpp"

namespace tenon::x86::pv {

/// True when the faulting instruction was executed as an update of a level-1 entry, or the fault has vanished meanwhile.
bool emulate_table_write(Vcpu& vcpu, Regs& regs, u64 address);

} // namespace tenon::x86::pv
