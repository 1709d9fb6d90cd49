// Configuration space by the ports of mechanism 1, and by memory (MMCONFIG) for extended registers and other segments.
// [PCI 3.0 3.2.2.3.2; PCIe 5.0 7.2.2]
#include <tenon/device/io.hpp>
#include <tenon/device/pci.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon::pci {
namespace {

constexpr u16 address_port = 0xcf8, data_port = 0xcfc;
constexpr u32 address_enable = 1u << 31;
constinit SpinLock<Rank::window> lock; // a leaf: nothing is called with it held

void* extended(Function f, u16 reg, unsigned width)
{
    const acpi::Machine& machine = acpi::machine();
    for (u32 i = 0; i < machine.mcfg_count; i++) {
        const acpi::McfgEntry& e = machine.mcfg[i];
        if (e.segment == f.segment && f.bus >= e.first_bus && f.bus <= e.last_bus) // the table's base is that of bus 0
            return io::map_register(e.base + (u64{f.bus} << 20 | u64{f.devfn} << 12 | reg), width);
    }
    return nullptr;
}

constexpr u32 address_of(Function f, u16 reg) { return address_enable | u32(f.bus) << 16 | u32(f.devfn) << 8 | (reg & 0xfcu); }

} // namespace

u32 read(Function f, u16 reg, unsigned width)
{
    if (f.segment == 0 && reg < 256)
        return read_legacy(address_of(f, reg), u16(data_port + reg % 4), width);
    const void* at = extended(f, reg, width);
    return at ? io::read(at, width) : io::all_ones(width);
}

void write(Function f, u16 reg, unsigned width, u32 value)
{
    if (f.segment == 0 && reg < 256)
        return write_legacy(address_of(f, reg), u16(data_port + reg % 4), width, value);
    if (void* at = extended(f, reg, width))
        io::write(at, width, value);
}

u32 read_legacy(u32 address, u16 port, unsigned width)
{
    Guard guard(lock);
    io::out32(address_port, address);
    return io::in(port, width);
}

void write_legacy(u32 address, u16 port, unsigned width, u32 value)
{
    Guard guard(lock);
    io::out32(address_port, address);
    io::out(port, width, value);
}

bool exists(Function f) { return (read(f, reg_vendor, 2) & 0xffff) != 0xffff; }

u64 memory_bar(Function f, unsigned index)
{
    const unsigned bars = (read(f, reg_header_type, 1) & 0x7f) == 0 ? 6 : 2;
    if (index >= bars)
        return 0;
    const u16 reg = u16(reg_bar0 + 4 * index);
    const u32 low = read(f, reg, 4);
    if (low & 1)
        return 0;
    const bool is_64_bit = (low >> 1 & 3) == 2;
    if (is_64_bit && index + 1 >= bars)
        return 0;
    return (low & ~0xfu) | (is_64_bit ? u64(read(f, u16(reg + 4), 4)) << 32 : 0);
}

} // namespace tenon::pci
