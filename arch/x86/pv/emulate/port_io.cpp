// Port I/O: the hardware domain reaches the machine's ports except those that Tenon keeps; others read all ones.
#include "emulate.hpp"
#include "../update.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/device/pci.hpp>
#include <tenon/device/serial.hpp>
#include <tenon/guest/handle.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

/// Ports that stay with Tenon: both interrupt controllers, the interval timer's channels 0 and 2 with its control word, its serial port.
bool is_kept(u16 port)
{
    return (port & 0xff7e) == 0x20 || (port >= 0x40 && port <= 0x43) || serial::owns_port(port);
}

constexpr u32 all_ones(unsigned bytes) { return bytes == 4 ? ~u32{0} : (u32{1} << bytes * 8) - 1; }

u32 hardware_in(u16 port, unsigned bytes) { return bytes == 1 ? in8(port) : bytes == 2 ? in16(port) : in32(port); }
void hardware_out(u16 port, unsigned bytes, u32 v)
{
    if (bytes == 1)
        out8(port, u8(v));
    else if (bytes == 2)
        out16(port, u16(v));
    else
        out32(port, v);
}

/// A byte of guest kernel memory, also while the guest's user tables are loaded.
bool read_kernel_byte(Vcpu& vcpu, GuestVa va, u8& byte)
{
    Guard guard(vcpu.domain.arch.mm_lock);
    auto place = arch::guest_range_ok(va, 1) ? find_l1(vcpu.arch.kernel_table, va) : Result<EntryPlace>(Error::fault);
    if (!place.ok())
        return false;
    FrameView<Pte> table(place->table);
    Pte entry = table[place->index];
    if (!entry.is_present() || !is_ram(entry.mfn()) || frame_at(entry.mfn()).owner_id() != vcpu.domain.id)
        return false;
    FrameView<u8> page(entry.mfn());
    byte = page[offset_in_page(va)];
    return true;
}

bool is_config_data(u16 port) { return (port & ~3) == 0xcfc; }

} // namespace

bool port_access_allowed(Vcpu& vcpu, u16 port, unsigned bytes)
{
    ArchVcpu& a = vcpu.arch;
    if (a.iopl >= (a.in_kernel ? 1 : 3))
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

u32 guest_port_in(Vcpu& vcpu, u16 port, unsigned bytes)
{
    Domain& d = vcpu.domain;
    if (!d.arch.has_hardware)
        return all_ones(bytes);
    if (port == 0xcf8 && bytes == 4)
        return d.arch.pci_address;
    if (is_config_data(port))
        return pci::read_legacy(d.arch.pci_address, port, bytes);
    if (is_kept(port)) // a guest that times with the interval timer's gate sees it done at once
        return all_ones(bytes);
    return hardware_in(port, bytes);
}

void guest_port_out(Vcpu& vcpu, u16 port, unsigned bytes, u32 value)
{
    Domain& d = vcpu.domain;
    if (!d.arch.has_hardware)
        return;
    if (port == 0xcf8 && bytes == 4)
        d.arch.pci_address = value;
    else if (is_config_data(port))
        pci::write_legacy(d.arch.pci_address, port, bytes, value);
    else if (!is_kept(port))
        hardware_out(port, bytes, value);
}

bool emulate_port_io(Vcpu& vcpu, Regs& regs, Code& code, u8 opcode, unsigned operand, bool rep)
{
    bool is_in, is_string = (opcode & 0xfc) == 0x6c;
    unsigned bytes = opcode & 1 ? operand : 1;
    u16 port = u16(regs.rdx);
    if (is_string)
        is_in = !(opcode & 2);
    else if ((opcode & 0xf4) == 0xe4) { // e4-e7: immediate port, ec-ef: dx
        is_in = !(opcode & 2);
        u8 imm;
        if (!(opcode & 8)) {
            if (!code.next(imm))
                return false;
            port = imm;
        }
    } else
        return false;
    if (!port_access_allowed(vcpu, port, bytes))
        return false;
    if (!is_string) {
        if (is_in) {
            u32 v = guest_port_in(vcpu, port, bytes);
            regs.rax = bytes == 4 ? v : (regs.rax & ~u64{all_ones(bytes)}) | (v & all_ones(bytes));
        } else
            guest_port_out(vcpu, port, bytes, u32(regs.rax) & all_ones(bytes));
        skip(vcpu, regs, code.at);
        return true;
    }
    // String forms: one element a round, so that a fault or an interrupt in the middle leaves the registers right.
    u64 step = regs.rflags & flag::df ? -u64{bytes} : bytes;
    for (unsigned round = 0; !rep || regs.rcx != 0; round++) {
        if (round == 256)
            return true; // the instruction goes on when the guest runs again
        u64& index = is_in ? regs.rdi : regs.rsi;
        u32 v = 0;
        GuestPtr<u8> memory(index);
        if (!is_in) {
            if (!memory.read_array(reinterpret_cast<u8*>(&v), bytes)) {
                deliver_page_fault(vcpu, regs, index, 4);
                return true;
            }
            guest_port_out(vcpu, port, bytes, v);
        } else {
            v = guest_port_in(vcpu, port, bytes);
            if (!memory.write_array(reinterpret_cast<u8*>(&v), bytes)) {
                deliver_page_fault(vcpu, regs, index, 6);
                return true;
            }
        }
        index += step;
        if (!rep)
            break;
        regs.rcx--;
    }
    skip(vcpu, regs, code.at);
    return true;
}

} // namespace tenon::x86::pv
