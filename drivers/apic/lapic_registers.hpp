// Registers of the local APIC: one number for both ways to reach them. [SDM 3A table 11-1, 11-6]
#pragma once
#include <tenon/device/io.hpp>
#include <tenon/device/lapic.hpp>

namespace tenon::lapic {

enum Register : u32 {
    reg_id = 0x20, reg_version = 0x30, reg_tpr = 0x80, reg_eoi = 0xb0, reg_ldr = 0xd0, reg_dfr = 0xe0, reg_svr = 0xf0, reg_isr = 0x100,
    reg_esr = 0x280, reg_lvt_cmci = 0x2f0, reg_icr_low = 0x300, reg_icr_high = 0x310, reg_lvt_timer = 0x320, reg_lvt_thermal = 0x330,
    reg_lvt_perf = 0x340, reg_lvt_lint0 = 0x350, reg_lvt_lint1 = 0x360, reg_lvt_error = 0x370, reg_timer_initial = 0x380,
    reg_timer_current = 0x390, reg_timer_divide = 0x3e0,
};
inline constexpr u32 lvt_masked = 1 << 16;

extern void* xapic_registers; ///< nullptr: x2APIC mode
extern Vectors vectors;

constexpr u32 msr_of(u32 reg) { return 0x800 + (reg >> 4); }
inline u32 get(u32 reg) { return xapic_registers ? io::read_at<u32>(xapic_registers, reg) : u32(io::read_msr(msr_of(reg))); }
inline void put(u32 reg, u32 value)
{
    if (xapic_registers)
        io::write_at<u32>(xapic_registers, reg, value);
    else
        io::write_msr(msr_of(reg), value);
}

void init_timer_on_this_cpu();

} // namespace tenon::lapic
