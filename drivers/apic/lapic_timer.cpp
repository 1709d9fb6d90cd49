// The local APIC's timer: TSC deadlines where the CPU has them, else a counter. [SDM 3A 11.5.4]
#include "lapic_registers.hpp"
#include <tenon/arch/cpu.hpp>
#include <tenon/device/counter.hpp>
#include <tenon/log.hpp>

namespace tenon::lapic {
namespace {

constexpr u32 mode_deadline = 2 << 17, divide_by_1 = 0xb, msr_deadline = 0x6e0;
constexpr u32 longest_count = 0x7fff'ffff;

constinit bool deadline_mode = false;
constinit u64 counter_hz = 0;

u64 read_counter() { return ~get(reg_timer_current) & 0xffff'ffff; }

} // namespace

void init_timer_on_this_cpu()
{
    deadline_mode = io::cpuid(1).c & bit(24);
    put(reg_timer_divide, divide_by_1);
    put(reg_lvt_timer, vectors.timer | (deadline_mode ? mode_deadline : 0));
    if (deadline_mode)
        asm volatile("mfence" ::: "memory"); // [SDM 3A 11.5.4.1] between the LVT store and the first deadline
    else
        put(reg_timer_initial, 0);
}

void calibrate_timer()
{
    if (deadline_mode)
        return;
    put(reg_lvt_timer, vectors.timer | lvt_masked);
    put(reg_timer_initial, ~0u);
    counter_hz = measure_rate({read_counter, 0, 0xffff'ffff, ""}, {arch::now_ns, 1'000'000'000}, 40);
    put(reg_timer_initial, 0);
    put(reg_lvt_timer, vectors.timer);
    if (counter_hz == 0)
        panic("The local APIC timer does not count\n");
    log_info("Local APIC timer: %lu kHz\n", counter_hz / 1000);
}

bool has_tsc_deadline() { return deadline_mode; }
void set_deadline(u64 tsc) { io::write_msr(msr_deadline, tsc); }

void set_timer(u64 ns)
{
    constexpr u64 second = 1'000'000'000;
    const u64 count = ns == 0 ? 0 : min<u64>(min(ns, second) * counter_hz / second + 1, longest_count);
    put(reg_timer_initial, u32(count));
}

} // namespace tenon::lapic
