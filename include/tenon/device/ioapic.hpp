// I/O APICs: one redirection entry for each global system interrupt. [82093AA datasheet]
#pragma once
#include <tenon/ids.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::ioapic {

/// One redirection table entry, physical destination, fixed delivery.
struct Entry {
    u8 vector = 0;
    bool masked = true, level = false, low = false;
    ApicId dest{};
    constexpr u64 encode() const
    {
        return u64(vector) | u64(low) << 13 | u64(level) << 15 | u64(masked) << 16 | u64(dest.raw() & 0xff) << 56;
    }
};

/// Maps every I/O APIC of the MADT and masks all entries. After acpi::init.
void init();
bool has_gsi(u32 gsi);
/// Writes the whole entry, safely in either direction (masked while it changes).
void route(u32 gsi, const Entry& entry);
void set_mask(u32 gsi, bool masked);
/// For dom0's PHYSDEVOP_apic_read: a register of the I/O APIC at this machine address; Error::inval when there is none.
Result<u32> read_register(u64 base, u32 reg);

} // namespace tenon::ioapic
