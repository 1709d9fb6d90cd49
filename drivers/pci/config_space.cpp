// Configuration space by the ports of mechanism 1, and by memory (MMCONFIG) for extended registers and other segments.
// [PCI 3.0 3.2.2.3.2; PCIe 5.0 7.2.2]
#include <atomic>
#include <tenon/device/io.hpp>
#include <tenon/device/pci.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::pci {
namespace {

constexpr u16 address_port = 0xcf8, data_port = 0xcfc;
constexpr u32 address_enable = 1u << 31;
constexpr u64 bytes_per_bus = 1 << 20;

/// Buses whose memory window is mapped; a slot is claimed by its key (segment and bus, plus one) and then filled.
struct Bus {
    std::atomic<u32> key{0};
    std::atomic<u8*> base{nullptr};
};
constinit Bus buses[64];
constinit SpinLock<Rank::window> lock; // a leaf: nothing is called with it held

u8* map_bus(u16 segment, u8 bus)
{
    const acpi::Machine& machine = acpi::machine();
    for (u32 i = 0; i < machine.mcfg_count; i++) {
        const acpi::McfgEntry& e = machine.mcfg[i];
        if (e.segment == segment && bus >= e.first_bus && bus <= e.last_bus) // the table's base is that of bus 0
            return static_cast<u8*>(x86::map_device(MachineAddr{e.base + bus * bytes_per_bus}, bytes_per_bus));
    }
    return nullptr;
}

u8* extended(Function f, u16 reg)
{
    const u32 key = (u32(f.segment) << 8 | f.bus) + 1;
    for (Bus& slot : buses) {
        u32 found = 0;
        if (slot.key.compare_exchange_strong(found, key, std::memory_order_acq_rel)) {
            u8* base = map_bus(f.segment, f.bus);
            if (!base)
                slot.key.store(0, std::memory_order_release);
            slot.base.store(base, std::memory_order_release);
            return base ? base + f.devfn * 4096u + reg : nullptr;
        }
        if (found == key) {
            u8* base;
            while (!(base = slot.base.load(std::memory_order_acquire)) && slot.key.load(std::memory_order_acquire) == key)
                io::relax();
            return base ? base + f.devfn * 4096u + reg : nullptr;
        }
    }
    return nullptr;
}

constexpr u32 all_ones(unsigned width) { return width == 4 ? ~0u : (1u << width * 8) - 1; }
constexpr bool is_proper(u16 reg, unsigned width) { return (width == 1 || width == 2 || width == 4) && reg % width == 0 && reg < 4096; }
constexpr u32 address_of(Function f, u16 reg) { return address_enable | u32(f.bus) << 16 | u32(f.devfn) << 8 | (reg & 0xfcu); }

} // namespace

u32 read(Function f, u16 reg, unsigned width)
{
    if (!is_proper(reg, width))
        return ~0u;
    if (f.segment == 0 && reg < 256)
        return read_legacy(address_of(f, reg), u16(data_port + reg % 4), width);
    const u8* at = extended(f, reg);
    if (!at)
        return all_ones(width);
    return width == 1 ? io::read_at<u8>(at, 0) : width == 2 ? io::read_at<u16>(at, 0) : io::read_at<u32>(at, 0);
}

void write(Function f, u16 reg, unsigned width, u32 value)
{
    if (!is_proper(reg, width))
        return;
    if (f.segment == 0 && reg < 256)
        return write_legacy(address_of(f, reg), u16(data_port + reg % 4), width, value);
    u8* at = extended(f, reg);
    if (!at)
        return;
    if (width == 1)
        io::write_at<u8>(at, 0, u8(value));
    else if (width == 2)
        io::write_at<u16>(at, 0, u16(value));
    else
        io::write_at<u32>(at, 0, value);
}

u32 read_legacy(u32 address, u16 port, unsigned width)
{
    Guard guard(lock);
    io::out32(address_port, address);
    return width == 1 ? io::in8(port) : width == 2 ? io::in16(port) : io::in32(port);
}

void write_legacy(u32 address, u16 port, unsigned width, u32 value)
{
    Guard guard(lock);
    io::out32(address_port, address);
    if (width == 1)
        io::out8(port, u8(value));
    else if (width == 2)
        io::out16(port, u16(value));
    else
        io::out32(port, value);
}

bool exists(Function f) { return (read(f, reg_vendor, 2) & 0xffff) != 0xffff; }

u8 find_capability(Function f, u8 id)
{
    constexpr u32 status_has_capabilities = 1 << 4;
    if (!exists(f) || !(read(f, reg_status, 2) & status_has_capabilities))
        return 0;
    u8 at = u8(read(f, reg_capabilities, 1) & 0xfc);
    for (unsigned n = 0; at >= 0x40 && n < 48; n++) { // 48 capabilities fill the space: a longer list is a loop
        const u32 head = read(f, at, 2);
        if ((head & 0xff) == id)
            return at;
        at = u8(head >> 8 & 0xfc);
    }
    return 0;
}

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
