// What a vCPU may do with ports, as its guest's kernel says. Answered by the architecture.
#pragma once
#include <tenon/lib/result.hpp>

namespace tenon {
struct Vcpu;
}

namespace tenon::arch {

/// I/O privilege level 0..3 of the current vCPU; Error::inval beyond.
Status set_iopl(Vcpu& vcpu, u32 level);
/// Guest address of a bitmap of `ports` bits, 0: allowed to user mode. The bitmap is read when a port is used.
Status set_io_bitmap(Vcpu& vcpu, u64 bitmap, u32 ports);

} // namespace tenon::arch
