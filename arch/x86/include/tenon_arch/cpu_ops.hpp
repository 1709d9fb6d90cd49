// One-instruction wrappers for control registers and the interrupt flag; MSRs and CPUID as drivers have them.
#pragma once
#include <tenon/device/io.hpp>

namespace tenon::x86 {

using io::cpuid, io::CpuidResult, io::read_msr, io::write_msr;
/// False when the MSR does not exist (the #GP is fixed up); `value` is then as it was.
bool read_msr_safe(u32 index, u64& value);

#define TENON_CONTROL_REGISTER(n)                     \
    inline u64 read_cr##n()                           \
    {                                                 \
        u64 v;                                        \
        asm volatile("mov %%cr" #n ", %0" : "=r"(v)); \
        return v;                                     \
    }                                                 \
    inline void write_cr##n(u64 v) { asm volatile("mov %0, %%cr" #n ::"r"(v) : "memory"); }
TENON_CONTROL_REGISTER(0)
TENON_CONTROL_REGISTER(2)
TENON_CONTROL_REGISTER(3)
TENON_CONTROL_REGISTER(4)
#undef TENON_CONTROL_REGISTER

inline u64 read_tsc()
{
    u32 lo, hi;
    asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return u64(hi) << 32 | lo;
}
inline void pause() { io::relax(); }
inline void invalidate_page(u64 va) { asm volatile("invlpg (%0)" ::"r"(va) : "memory"); }
/// [SDM 2A INVPCID] The descriptor holds the tag and the address. It is pushed, as an array would have the caller guard its stack.
inline void invpcid(u64 type, u64 tag, u64 va)
{
    asm volatile("push %2\n push %1\n invpcid (%%rsp), %0\n lea 16(%%rsp), %%rsp" ::"r"(type), "r"(tag), "r"(va) : "memory");
}
inline void interrupts_on() { asm volatile("sti" ::: "memory"); }
inline void interrupts_off() { asm volatile("cli" ::: "memory"); }
/// Opens the interrupt window for exactly one instruction boundary and closes it.
inline void interrupt_window() { asm volatile("sti; nop; cli" ::: "memory"); }

namespace msr {
inline constexpr u32 apic_base = 0x1b, misc_enable = 0x1a0, pat = 0x277, sysenter_cs = 0x174, sysenter_esp = 0x175, sysenter_eip = 0x176,
                     efer = 0xc0000080, star = 0xc0000081, lstar = 0xc0000082, cstar = 0xc0000083, fmask = 0xc0000084, fs_base = 0xc0000100,
                     gs_base = 0xc0000101, kernel_gs_base = 0xc0000102, tsc_aux = 0xc0000103;
}
namespace cr0 {
inline constexpr u64 pe = bit(0), mp = bit(1), em = bit(2), ts = bit(3), et = bit(4), ne = bit(5), wp = bit(16), am = bit(18), pg = bit(31);
}
namespace cr4 {
inline constexpr u64 tsd = bit(2), de = bit(3), pse = bit(4), pae = bit(5), mce = bit(6), pge = bit(7), pce = bit(8), osfxsr = bit(9),
                     osxmmexcpt = bit(10), umip = bit(11), fsgsbase = bit(16), pcide = bit(17), osxsave = bit(18), smep = bit(20),
                     smap = bit(21);
inline constexpr u64 guests_choice = tsd | de | fsgsbase; ///< what takes effect as a guest's kernel has it
} // namespace cr4
namespace flag {
inline constexpr u64 cf = 1, zf = 0x40, tf = 0x100, interrupt = 0x200, df = 0x400, iopl = 0x3000, nt = 0x4000, rf = 0x10000, vm = 0x20000,
                     ac = 0x40000, vif = 0x80000, vip = 0x100000, id = 0x200000;
}

} // namespace tenon::x86
