// See the header. Registers are reached through an index and a data window, so every access is made under the lock.
#include <tenon/device/acpi.hpp>
#include <tenon/device/io.hpp>
#include <tenon/device/ioapic.hpp>
#include <tenon/log.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::ioapic {
namespace {

constexpr u32 reg_version = 1, reg_arbitration = 2, reg_table = 0x10, entry_mask_bit = 1 << 16;
constexpr u64 window_index = 0x00, window_data = 0x10;

struct Chip {
    void* registers = nullptr;
    u64 address = 0;
    u32 gsi_base = 0, pins = 0;

    u32 get(u32 reg) const
    {
        io::write_at<u32>(registers, window_index, reg);
        return io::read_at<u32>(registers, window_data);
    }
    void put(u32 reg, u32 value) const
    {
        io::write_at<u32>(registers, window_index, reg);
        io::write_at<u32>(registers, window_data, value);
    }
};

constinit Chip chips[std::size(acpi::Machine{}.ioapics)];
constinit unsigned chip_count = 0;
constinit SpinLock<Rank::window> lock; // a leaf: nothing is called with it held

Chip* chip_of(u32 gsi)
{
    for (unsigned i = 0; i < chip_count; i++)
        if (gsi >= chips[i].gsi_base && gsi - chips[i].gsi_base < chips[i].pins)
            return &chips[i];
    return nullptr;
}

} // namespace

void init()
{
    const acpi::Machine& machine = acpi::machine();
    for (u32 i = 0; i < machine.ioapic_count; i++) {
        Chip chip;
        chip.address = machine.ioapics[i].address;
        chip.gsi_base = machine.ioapics[i].gsi_base;
        chip.registers = chip.address ? x86::map_device(MachineAddr{chip.address}, 0x100) : nullptr;
        const u32 version = chip.registers ? chip.get(reg_version) : ~0u;
        if (version == ~0u) {
            log_warning("I/O APIC at 0x%lx does not answer", chip.address);
            continue;
        }
        chip.pins = (version >> 16 & 0xff) + 1;
        for (u32 pin = 0; pin < chip.pins; pin++) {
            chip.put(reg_table + 2 * pin, entry_mask_bit);
            chip.put(reg_table + 2 * pin + 1, 0);
        }
        chips[chip_count++] = chip;
    }
}

bool has_gsi(u32 gsi) { return chip_of(gsi) != nullptr; }

void route(u32 gsi, const Entry& entry)
{
    const Chip* chip = chip_of(gsi);
    if (!chip)
        return;
    Guard guard(lock);
    const u32 reg = reg_table + 2 * (gsi - chip->gsi_base);
    const u64 value = entry.encode();
    chip->put(reg, chip->get(reg) | entry_mask_bit);
    chip->put(reg + 1, u32(value >> 32));
    chip->put(reg, u32(value));
}

/// The low half holds the mask, so it is the one that changes while the line may be open.
void set_mask(u32 gsi, bool masked)
{
    const Chip* chip = chip_of(gsi);
    if (!chip)
        return;
    Guard guard(lock);
    const u32 reg = reg_table + 2 * (gsi - chip->gsi_base);
    const u32 low = chip->get(reg);
    chip->put(reg, masked ? low | entry_mask_bit : low & ~entry_mask_bit);
    if (masked)
        chip->get(reg); // the write has arrived once this returns: no interrupt is raised after mask()
}

Result<u32> read_register(u64 base, u32 reg)
{
    for (unsigned i = 0; i < chip_count; i++)
        if (chips[i].address == base) {
            if (reg > reg_arbitration && (reg < reg_table || reg >= reg_table + 2 * chips[i].pins))
                return Error::inval;
            Guard guard(lock);
            return chips[i].get(reg);
        }
    return Error::inval;
}

} // namespace tenon::ioapic
