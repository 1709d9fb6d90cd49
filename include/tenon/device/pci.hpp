// PCI configuration space, and message-signalled interrupts. [PCI 3.0, PCIe 5.0]
#pragma once
#include <tenon/device/acpi.hpp>

namespace tenon::pci {

struct Function {
    u16 segment = 0;
    u8 bus = 0, devfn = 0;
    bool operator==(const Function&) const = default;
};

inline constexpr u16 reg_vendor = 0x00, reg_command = 0x04, reg_class = 0x08, reg_bar0 = 0x10, reg_status = 0x06, reg_header_type = 0x0e,
                     reg_capabilities = 0x34;
inline constexpr u8 cap_msi = 0x05, cap_msix = 0x11;
inline constexpr u16 command_io = 1, command_memory = 2;

/// Width 1, 2 or 4, naturally aligned. Reads of what does not exist give all ones. Registers from 256 on, and segments other than 0, are
/// reached through the MCFG table's ranges.
u32 read(Function f, u16 reg, unsigned width);
void write(Function f, u16 reg, unsigned width, u32 value);
/// Access by a CONFIG_ADDRESS value that a guest latched; `port` is 0xcfc..0xcff.
u32 read_legacy(u32 address, u16 port, unsigned width);
void write_legacy(u32 address, u16 port, unsigned width, u32 value);
bool exists(Function f);
/// Machine address of a memory BAR, 0 when it is not one.
u64 memory_bar(Function f, unsigned index);

/// What an MSI or MSI-X message makes the CPU see. [SDM 3A 11.11]
struct Message {
    u64 address;
    u32 data;
};
constexpr Message message_to(ApicId dest, u8 vector) { return {0xfee00000 | u64(dest.raw() & 0xff) << 12, vector}; }

/// How to reach one message's registers; plain data, checked when made.
struct MsiTarget {
    Function function{};
    u8 capability = 0;
    bool is_msix = false;
    bool is_64_bit = false, can_mask = false;
    u16 index = 0;         ///< MSI-X entry, or message number
    void* entry = nullptr; ///< MSI-X: the table entry
};
/// MSI: up to `messages` (1, 2, 4 .. 32) messages in one block; Error::nodev without the device, Error::inval without the capability or
/// with fewer messages than asked.
Result<MsiTarget> find_msi(Function f, unsigned messages);
/// MSI-X: `table_base` is what dom0 believes the BAR to be, and must be right.
Result<MsiTarget> find_msix(Function f, u32 entry, u64 table_base);
/// Writes address and data, and log2(messages) for MSI; leaves the enable bit to its owner.
void program(const MsiTarget& target, Message message, unsigned messages = 1);
/// Nothing happens where the device cannot mask.
void set_mask(const MsiTarget& target, bool masked);
/// Turns the capability off.
void disable(const MsiTarget& target);

} // namespace tenon::pci
