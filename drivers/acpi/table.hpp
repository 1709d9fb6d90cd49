// Reading one ACPI table: a checked view of its bytes.
#pragma once
#include <iterator>
#include <tenon/device/acpi.hpp>

namespace tenon::acpi {

/// Bytes that may be read at any offset: what lies outside is zero. Fields are unaligned and little-endian.
struct Bytes {
    const u8* base = nullptr;
    u64 size = 0;

    template <class T> T get(u64 offset) const
    {
        T value{};
        if (offset <= size && size - offset >= sizeof(T))
            __builtin_memcpy(&value, base + offset, sizeof(T));
        return value;
    }
    bool has(u64 offset, u64 bytes) const { return offset <= size && size - offset >= bytes; }
    Bytes part(u64 offset, u64 bytes) const { return has(offset, bytes) ? Bytes{base + offset, bytes} : Bytes{}; }
    bool sums_to_zero() const
    {
        u8 sum = 0;
        for (u64 i = 0; i < size; i++)
            sum = u8(sum + base[i]);
        return sum == 0;
    }
};

constexpr u32 signature(const char (&s)[5]) { return u32(u8(s[0])) | u32(u8(s[1])) << 8 | u32(u8(s[2])) << 16 | u32(u8(s[3])) << 24; }

inline constexpr u64 header_size = 36;
inline constexpr u64 table_limit = 16 << 20; ///< no sane table is longer

Gas read_gas(const Bytes& table, u64 offset);
void read_madt(const Bytes& table, Machine& machine);
void read_fadt(const Bytes& table, Machine& machine);
void read_mcfg(const Bytes& table, Machine& machine);
void read_hpet(const Bytes& table, Machine& machine);

} // namespace tenon::acpi
