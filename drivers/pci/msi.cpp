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

Result<MsiTarget> find(Function f, u8 capability)
{
    if (!exists(f))
        return Error::nodev;
    const MsiTarget t{f, find_capability(f, capability)};
    return t.capability ? Result<MsiTarget>(t) : Error::inval;
}

} // namespace

Result<MsiTarget> find_msi(Function f, unsigned messages)
{
    MsiTarget t = TRY(find(f, cap_msi));
    const u32 control = read(f, u16(t.capability + 2), 2);
    if (messages == 0 || (messages & (messages - 1)) || messages > (1u << (control >> 1 & 7)))
        return Error::inval;
    t.is_64_bit = control & msi_64_bit;
    t.can_mask = control & msi_can_mask;
    return t;
}

Result<MsiTarget> find_msix(Function f, u16 entry, u64 table_base)
{
    MsiTarget t = TRY(find(f, cap_msix));
    if (entry > (read(f, u16(t.capability + 2), 2) & msix_size_mask))
        return Error::inval;
    const u32 table = read(f, u16(t.capability + 4), 4);
    const u64 bar = memory_bar(f, table & 7);
    if (bar == 0 || bar != table_base || !(read(f, reg_command, 2) & command_memory))
        return Error::inval;
    t.is_msix = t.can_mask = true;
    t.index = entry;
    t.entry_address = bar + (table & ~7u) + u64(entry) * msix_entry_size;
    return t;
}

Status program(const MsiTarget& t, Message message, unsigned messages)
{
    if (t.is_msix) {
        void* entry = io::map_register(t.entry_address, msix_entry_size);
        if (!entry)
            return Error::nomem;
        // An entry may change only while it is masked. [PCI 3.0 6.8.2.9]
        const u32 control = io::read_at<u32>(entry, 12);
        io::write_at<u32>(entry, 12, control | msix_entry_masked);
        io::write_at<u32>(entry, 0, u32(message.address));
        io::write_at<u32>(entry, 4, u32(message.address >> 32));
        io::write_at<u32>(entry, 8, message.data);
        io::write_at<u32>(entry, 12, control);
        io::read_at<u32>(entry, 12); // posted writes arrive
        return success;
    }
    const u16 control_reg = u16(t.capability + 2);
    const u32 control = read(t.function, control_reg, 2) & ~(7u << 4);
    write(t.function, control_reg, 2, control | log2_floor(messages) << 4);
    write(t.function, u16(t.capability + 4), 4, u32(message.address));
    if (t.is_64_bit)
        write(t.function, u16(t.capability + 8), 4, u32(message.address >> 32));
    write(t.function, msi_data_reg(t), 2, message.data);
    return success;
}

bool set_mask(const MsiTarget& t, bool masked)
{
    if (!t.can_mask)
        return false;
    if (t.is_msix) {
        void* entry = io::map_register(t.entry_address, msix_entry_size);
        if (!entry)
            return false;
        const u32 control = io::read_at<u32>(entry, 12);
        io::write_at<u32>(entry, 12, masked ? control | msix_entry_masked : control & ~msix_entry_masked);
        io::read_at<u32>(entry, 12);
        return true;
    }
    const u32 mask = read(t.function, msi_mask_reg(t), 4), one = 1u << t.index;
    write(t.function, msi_mask_reg(t), 4, masked ? mask | one : mask & ~one);
    return true;
}

void disable(const MsiTarget& t)
{
    const u16 control_reg = u16(t.capability + 2);
    const u32 control = read(t.function, control_reg, 2);
    if (control != 0xffff) // the device is gone
        write(t.function, control_reg, 2, control & ~(t.is_msix ? msix_enable : msi_enable));
}

} // namespace tenon::pci
