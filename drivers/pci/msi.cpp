// Message-signalled interrupts: finding the capability, writing a message, masking it. Whether a capability is enabled is dom0's
// business (its driver sets the bit when it has all its vectors), except that teardown turns it off. [PCI 3.0 6.8]
#include <tenon/device/io.hpp>
#include <tenon/device/pci.hpp>

namespace tenon::pci {
namespace {

constexpr u32 msi_enable = 1 << 0, msi_64_bit = 1 << 7, msi_can_mask = 1 << 8, msix_enable = 1 << 15;
constexpr u32 msix_size_mask = 0x7ff, msix_entry_size = 16, msix_entry_masked = 1;

constexpr u16 msi_data_reg(const MsiTarget& t) { return u16(t.capability + (t.is_64_bit ? 12 : 8)); }
constexpr u16 msi_mask_reg(const MsiTarget& t) { return u16(t.capability + (t.is_64_bit ? 16 : 12)); }

/// Error::nodev without the device, Error::inval without the capability.
Result<MsiTarget> find(Function f, u8 id)
{
    constexpr u32 status_has_capabilities = 1 << 4;
    if (!exists(f))
        return Error::nodev;
    u8 at = read(f, reg_status, 2) & status_has_capabilities ? u8(read(f, reg_capabilities, 1) & 0xfc) : 0;
    for (unsigned n = 0; at >= 0x40 && n < 48; n++) { // 48 capabilities fill the space: a longer list is a loop
        const u32 head = read(f, at, 2);
        if ((head & 0xff) == id)
            return MsiTarget{f, at};
        at = u8(head >> 8 & 0xfc);
    }
    return Error::inval;
}

} // namespace

Result<MsiTarget> find_msi(Function f, unsigned messages)
{
    MsiTarget t = TRY(find(f, cap_msi));
    const u32 control = read(f, u16(t.capability + 2), 2);
    if (messages > (1u << (control >> 1 & 7)))
        return Error::inval;
    t.is_64_bit = control & msi_64_bit;
    t.can_mask = control & msi_can_mask;
    return t;
}

Result<MsiTarget> find_msix(Function f, u32 entry, u64 table_base)
{
    MsiTarget t = TRY(find(f, cap_msix));
    if (entry > (read(f, u16(t.capability + 2), 2) & msix_size_mask))
        return Error::inval;
    const u32 table = read(f, u16(t.capability + 4), 4);
    const u64 bar = memory_bar(f, table & 7);
    if (bar != table_base || !(read(f, reg_command, 2) & command_memory))
        return Error::inval;
    t.is_msix = t.can_mask = true;
    t.index = u16(entry);
    t.entry = io::map_register(bar + (table & ~7u) + u64(entry) * msix_entry_size, msix_entry_size);
    return t.entry ? Result<MsiTarget>(t) : Error::nomem;
}

void program(const MsiTarget& t, Message message, unsigned messages)
{
    if (t.is_msix) {
        // An entry may change only while it is masked. [PCI 3.0 6.8.2.9]
        const u32 control = io::read_at<u32>(t.entry, 12);
        io::write_at<u32>(t.entry, 12, control | msix_entry_masked);
        io::write_at<u32>(t.entry, 0, u32(message.address));
        io::write_at<u32>(t.entry, 4, u32(message.address >> 32));
        io::write_at<u32>(t.entry, 8, message.data);
        io::write_at<u32>(t.entry, 12, control);
        io::read_at<u32>(t.entry, 12); // posted writes arrive
        return;
    }
    const u16 control_reg = u16(t.capability + 2);
    const u32 control = read(t.function, control_reg, 2) & ~(7u << 4);
    write(t.function, control_reg, 2, control | log2_floor(messages) << 4);
    write(t.function, u16(t.capability + 4), 4, u32(message.address));
    if (t.is_64_bit)
        write(t.function, u16(t.capability + 8), 4, u32(message.address >> 32));
    write(t.function, msi_data_reg(t), 2, message.data);
}

void set_mask(const MsiTarget& t, bool masked)
{
    const auto changed = [masked](u32 word, u32 mask) { return masked ? word | mask : word & ~mask; };
    if (t.is_msix) {
        io::write_at<u32>(t.entry, 12, changed(io::read_at<u32>(t.entry, 12), msix_entry_masked));
        io::read_at<u32>(t.entry, 12);
    } else if (t.can_mask) {
        write(t.function, msi_mask_reg(t), 4, changed(read(t.function, msi_mask_reg(t), 4), 1u << t.index));
    }
}

void disable(const MsiTarget& t)
{
    const u16 control_reg = u16(t.capability + 2);
    const u32 control = read(t.function, control_reg, 2);
    if (control != 0xffff) // the device is gone
        write(t.function, control_reg, 2, control & ~(t.is_msix ? msix_enable : msi_enable));
}

} // namespace tenon::pci
