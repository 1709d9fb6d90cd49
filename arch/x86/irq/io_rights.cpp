// See the header. The values are used by the port emulation; nothing here opens a port for the CPU itself.
#include <tenon/arch/guest.hpp>
#include <tenon/domain/vcpu.hpp>
#include <tenon/guest/handle.hpp>

namespace tenon::arch {

Status set_iopl(Vcpu& vcpu, u32 level)
{
    if (level > 3)
        return Error::inval;
    vcpu.arch.iopl = u8(level);
    return success;
}

Status set_io_bitmap(Vcpu& vcpu, u64 bitmap, u32 ports)
{
    if (ports > 0x10000 || (ports && !guest_range_ok(GuestVa{bitmap}, (ports + 7) / 8)))
        return Error::inval;
    vcpu.arch.iobitmap = bitmap;
    vcpu.arch.iobitmap_ports = ports;
    return success;
}

} // namespace tenon::arch
