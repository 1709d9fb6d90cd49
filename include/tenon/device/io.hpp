// How a driver touches hardware: ports, memory-mapped registers, model-specific registers, time stamps.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::io {

template <class T> T in(u16 port)
{
    T value;
    asm volatile("in %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
template <class T> void out(u16 port, T value) { asm volatile("out %0, %1" ::"a"(value), "Nd"(port) : "memory"); }
inline u8 in8(u16 port) { return in<u8>(port); }
inline void out8(u16 port, u8 value) { out<u8>(port, value); }
inline void out32(u16 port, u32 value) { out<u32>(port, value); }

template <class T> T read_at(const void* base, u64 offset)
{
    return *reinterpret_cast<const volatile T*>(static_cast<const u8*>(base) + offset);
}
template <class T> void write_at(void* base, u64 offset, T value)
{
    *reinterpret_cast<volatile T*>(static_cast<u8*>(base) + offset) = value;
}

/// The same with a width of 1, 2 or 4 bytes that only the caller's caller knows.
inline u32 in(u16 port, unsigned bytes) { return bytes == 1 ? in<u8>(port) : bytes == 2 ? in<u16>(port) : in<u32>(port); }
inline void out(u16 port, unsigned bytes, u32 value)
{
    bytes == 1 ? out(port, u8(value)) : bytes == 2 ? out(port, u16(value)) : out(port, value);
}
inline u32 read(const void* at, unsigned bytes)
{
    return bytes == 1 ? read_at<u8>(at, 0) : bytes == 2 ? read_at<u16>(at, 0) : read_at<u32>(at, 0);
}
inline void write(void* at, unsigned bytes, u32 value)
{
    bytes == 1 ? write_at<u8>(at, 0, u8(value)) : bytes == 2 ? write_at<u16>(at, 0, u16(value)) : write_at<u32>(at, 0, value);
}
/// Registers at a machine address, uncached, for as long as the machine runs; nullptr when there is no room, or across a page's end.
void* map_register(u64 address, unsigned bytes);
constexpr u32 all_ones(unsigned bytes) { return bytes == 4 ? ~0u : (1u << bytes * 8) - 1; }

inline u64 read_msr(u32 msr)
{
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return u64(high) << 32 | low;
}
inline void write_msr(u32 msr, u64 value) { asm volatile("wrmsr" ::"c"(msr), "a"(u32(value)), "d"(u32(value >> 32)) : "memory"); }

struct CpuidResult {
    u32 eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(u32 leaf, u32 subleaf = 0)
{
    CpuidResult r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

/// A time stamp that is taken after everything before it in program order. [SDM 2B RDTSC]
inline u64 read_tsc()
{
    u32 low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return u64(high) << 32 | low;
}

inline void relax() { asm volatile("pause" ::: "memory"); }

} // namespace tenon::io
