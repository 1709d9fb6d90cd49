// Port I/O: the hardware domain reaches the machine's ports except those that Tenon keeps; others read all ones.
#include "../update.hpp"
#include "emulate.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/device/io.hpp>
#include <tenon/device/pci.hpp>
#include <tenon/device/serial.hpp>
#include <tenon/guest/handle.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

constexpr u16 config_address = 0xcf8, config_data = 0xcfc;
constexpr unsigned timer_first = 0x40, timer_last = 0x43;

/// Ports that stay with Tenon: both interrupt controllers, the interval timer's channels with its control word, its serial port. An access
/// that starts below may reach them.
bool is_kept(u16 port, unsigned bytes)
{
    for (unsigned p = port; p < port + bytes; p++)
        if ((p & 0xff7e) == 0x20 || (p >= timer_first && p <= timer_last) || serial::owns_port(u16(p)))
            return true;
    return false;
}

/// A byte of guest kernel memory, also while the guest's user tables are loaded.
bool read_kernel_byte(Vcpu& vcpu, GuestVa va, u8& byte)
{
    Guard guard(vcpu.domain.arch.mm_lock);
    auto place = arch::guest_range_ok(va, 1) ? find_l1(vcpu.arch.kernel_table, va) : Result<EntryPlace>(Error::fault);
    if (!place.ok())
        return false;
    const Pte entry = place->entry();
    if (!entry.is_present() || !is_ram(entry.mfn()) || frame_at(entry.mfn()).owner_id() != vcpu.domain.id)
        return false;
    FrameView<u8> page(entry.mfn());
    byte = page[offset_in_page(va)];
    return true;
}

/// By the privilege level or the bitmap that the guest's kernel gave this vCPU.
bool is_allowed(Vcpu& vcpu, u16 port, unsigned bytes)
{
    const GuestState& a = *vcpu.arch.state;
    if (a.iopl >= (guest_in_user() ? 3 : 1))
        return true;
    if (port + bytes > a.iobitmap_ports)
        return false;
    u8 bits[2] = {0xff, 0xff};
    unsigned count = (port & 7) + bytes > 8 ? 2 : 1;
    for (unsigned i = 0; i < count; i++)
        if (!read_kernel_byte(vcpu, GuestVa{a.iobitmap + port / 8 + i}, bits[i]))
            return false;
    unsigned wanted = ((1u << bytes) - 1) << (port & 7);
    return ((bits[0] | bits[1] << 8) & wanted) == 0;
}

u32 read_port(Vcpu& vcpu, u16 port, unsigned bytes)
{
    const ArchDomain& d = vcpu.domain.arch;
    // Kernels begin by timing the TSC with the interval timer. Its counter, started at ffff, would read as all ones for as long as
    // they care to look (Linux: 100,000 times); one that reads 0 is plainly not running, and they stop.
    if (port >= timer_first && port + bytes <= timer_last + 1)
        return 0;
    if (!d.has_hardware)
        return io::all_ones(bytes);
    if (port == config_address && bytes == 4)
        return d.pci_address;
    if ((port & ~3) == config_data)
        return pci::read_legacy(d.pci_address, port, bytes);
    return is_kept(port, bytes) ? io::all_ones(bytes) : io::in(port, bytes);
}

void write_port(Vcpu& vcpu, u16 port, unsigned bytes, u32 value)
{
    ArchDomain& d = vcpu.domain.arch;
    if (!d.has_hardware)
        return;
    if (port == config_address && bytes == 4)
        d.pci_address = value;
    else if ((port & ~3) == config_data)
        pci::write_legacy(d.pci_address, port, bytes, value);
    else if (!is_kept(port, bytes))
        io::out(port, bytes, value);
}

/// Memory is reached through the tables of kernel mode. User mode may reach only what its own tables show as well, page by page.
bool user_mode_reaches(Vcpu& vcpu, u64 va, unsigned bytes, bool writes)
{
    if (!arch::guest_range_ok(GuestVa{va}, bytes))
        return false;
    Guard guard(vcpu.domain.arch.mm_lock);
    for (u64 at : {va, va + bytes - 1}) {
        auto own = find_l1(vcpu.arch.user_table, GuestVa{at}), used = find_l1(vcpu.arch.kernel_table, GuestVa{at});
        if (!own.ok() || !used.ok())
            return false;
        const Pte entry = own->entry();
        if (!entry.is_present() || (writes && !entry.is_writable()) || entry.mfn() != used->entry().mfn())
            return false;
    }
    return true;
}

/// INS and OUTS, one element a round, so that a fault or an interrupt in the middle leaves the registers right.
void emulate_string(Vcpu& vcpu, Regs& regs, unsigned length, u16 port, unsigned bytes, bool is_in, bool rep)
{
    u64& index = is_in ? regs.rdi : regs.rsi;
    for (unsigned round = 0; !rep || regs.rcx != 0; round++) {
        if (round == 256)
            return; // the instruction goes on when the guest runs again
        if (guest_in_user() && !user_mode_reaches(vcpu, index, bytes, is_in))
            return deliver_page_fault(vcpu, regs, index, is_in ? 6 : 4);
        GuestPtr<u8> memory(index);
        u32 value = is_in ? read_port(vcpu, port, bytes) : 0;
        auto* buffer = reinterpret_cast<u8*>(&value);
        if (!(is_in ? memory.write_array(buffer, bytes) : memory.read_array(buffer, bytes)))
            return deliver_page_fault(vcpu, regs, index, is_in ? 6 : 4);
        if (!is_in)
            write_port(vcpu, port, bytes, value);
        index += regs.rflags & flag::df ? -u64{bytes} : bytes;
        if (!rep)
            break;
        regs.rcx--;
    }
    skip(vcpu, regs, length);
}

} // namespace

void set_iopl_of(GuestState& state, const Domain& domain, u32 level)
{
    state.iopl = u8(level);
    state.port_map = domain.arch.has_hardware && level > 0 ? ports_open : ports_closed;
}

void open_ports()
{
    auto* map = reinterpret_cast<u8*>(percpu_area(0) + port_map_offset);
    // Set bits must follow the last port [SDM 1, I/O permission bit map]: the last eight stay closed and are emulated.
    for (unsigned port = 0; port < (port_map_bytes - 1) * 8; port++)
        if (!is_kept(u16(port), 1) && (port & ~7u) != config_address)
            map[port / 8] &= u8(~(1u << port % 8));
}

bool emulate_port_io(Vcpu& vcpu, Regs& regs, Code& code)
{
    const u8 opcode = code.opcode;
    const bool is_string = (opcode & 0xfc) == 0x6c, is_in = !(opcode & 2); // 6c-6f
    if (!is_string && (opcode & 0xf4) != 0xe4)                             // e4-e7: immediate port, ec-ef: dx
        return false;
    const unsigned bytes = opcode & 1 ? code.operand : 1;
    const u16 port = is_string || opcode & 8 ? u16(regs.rdx) : code.next();
    if (!code.is_whole() || !is_allowed(vcpu, port, bytes))
        return false;
    count(vcpu, Emulated::ports);
    const u32 mask = io::all_ones(bytes);
    if (is_string) {
        emulate_string(vcpu, regs, code.length(), port, bytes, is_in, code.rep);
        return true;
    }
    if (!is_in)
        write_port(vcpu, port, bytes, u32(regs.rax) & mask);
    else
        regs.rax = (bytes == 4 ? 0 : regs.rax & ~u64{mask}) | (read_port(vcpu, port, bytes) & mask);
    skip(vcpu, regs, code.length());
    return true;
}

} // namespace tenon::x86::pv

namespace tenon::arch {

using namespace x86;

Status set_iopl(Vcpu& vcpu, u32 level)
{
    if (level > 3)
        return Error::inval;
    pv::set_iopl_of(*vcpu.arch.state, vcpu.domain, level);
    if (!guest_in_user())
        this_cpu().tss.port_map = vcpu.arch.state->port_map;
    return success;
}

Status set_io_bitmap(Vcpu& vcpu, u64 bitmap, u32 ports)
{
    if (ports > 0x10000 || (ports && !guest_range_ok(GuestVa{bitmap}, (ports + 7) / 8)))
        return Error::inval;
    vcpu.arch.state->iobitmap = bitmap;
    vcpu.arch.state->iobitmap_ports = ports;
    return success;
}

} // namespace tenon::arch
