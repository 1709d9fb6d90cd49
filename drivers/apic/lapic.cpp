// Local APIC: mode, setup, identity, end of interrupt, messages to other CPUs, timer. [SDM 3A 11.4 - 11.12]
#include <iterator>
#include <tenon/arch/cpu.hpp>
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::lapic {
namespace {

constinit void* xapic_registers = nullptr; ///< nullptr: x2APIC mode
constinit Vectors vectors{};

/// One number for both ways to reach a register. [SDM 3A table 11-1, 11-6]
enum Register : u32 {
    reg_id = 0x20,
    reg_version = 0x30,
    reg_tpr = 0x80,
    reg_eoi = 0xb0,
    reg_svr = 0xf0,
    reg_isr = 0x100,
    reg_esr = 0x280,
    reg_lvt_cmci = 0x2f0,
    reg_icr_low = 0x300,
    reg_icr_high = 0x310,
    reg_lvt_timer = 0x320,
    reg_lvt_thermal = 0x330,
    reg_lvt_perf = 0x340,
    reg_lvt_lint0 = 0x350,
    reg_lvt_lint1 = 0x360,
    reg_lvt_error = 0x370,
    reg_timer_initial = 0x380,
    reg_timer_current = 0x390,
    reg_timer_divide = 0x3e0,
};
constexpr u32 lvt_masked = 1 << 16;

constexpr u32 msr_of(u32 reg) { return 0x800 + (reg >> 4); }
u32 get(u32 reg) { return xapic_registers ? io::read_at<u32>(xapic_registers, reg) : u32(io::read_msr(msr_of(reg))); }
void put(u32 reg, u32 value)
{
    if (xapic_registers)
        io::write_at<u32>(xapic_registers, reg, value);
    else
        io::write_msr(msr_of(reg), value);
}

constexpr u32 msr_apic_base = 0x1b;
constexpr u64 base_enabled = bit(11), base_x2apic = bit(10), base_address_mask = 0xf'ffff'ffff'f000;
constexpr u32 svr_enable = 1 << 8, delivery_nmi = 4 << 8, delivery_init = 5 << 8, delivery_startup = 6 << 8;
constexpr u32 icr_busy = 1 << 12, icr_assert = 1 << 14, icr_level = 1 << 15, icr_others = 3 << 18;

constexpr u32 mode_deadline = 2 << 17, divide_by_1 = 0xb, msr_deadline = 0x6e0;
constexpr u32 longest_count = 0x7fff'ffff;

constinit bool deadline_mode = false;
constinit u64 counter_hz = 0;

u64 read_counter() { return ~get(reg_timer_current) & 0xffff'ffff; }

/// Writes the command register; the message is on its way when this returns.
void send(u32 to, u32 low)
{
    if (is_x2apic()) {
        // [SDM 3A 11.12.3] The MSR write is not ordered after earlier stores: what the other CPU will look for must be visible.
        asm volatile("mfence; lfence" ::: "memory");
        io::write_msr(msr_of(reg_icr_low), u64(to) << 32 | low);
        return;
    }
    while (get(reg_icr_low) & icr_busy)
        io::relax();
    put(reg_icr_high, to << 24);
    put(reg_icr_low, low);
    while (get(reg_icr_low) & icr_busy)
        io::relax();
}

void mask_local_interrupts()
{
    const unsigned last_lvt = get(reg_version) >> 16 & 0xff;
    // In the order in which later CPUs got them; the version register says how many there are.
    constexpr u32 entries[] = {reg_lvt_timer, reg_lvt_lint0, reg_lvt_lint1, reg_lvt_error, reg_lvt_perf, reg_lvt_thermal, reg_lvt_cmci};
    for (unsigned i = 0; i < std::size(entries) && i <= max(last_lvt, 3u); i++)
        put(entries[i], lvt_masked);
}

/// TSC deadlines where the CPU has them, else a counter. [SDM 3A 11.5.4]
void init_timer_on_this_cpu()
{
    deadline_mode = io::cpuid(1).ecx & bit(24);
    put(reg_timer_divide, divide_by_1);
    put(reg_lvt_timer, vectors.timer | (deadline_mode ? mode_deadline : 0));
    if (deadline_mode)
        asm volatile("mfence" ::: "memory"); // [SDM 3A 11.5.4.1] between the LVT store and the first deadline
    else
        put(reg_timer_initial, 0);
}

} // namespace

void init_boot_cpu(const Vectors& chosen)
{
    vectors = chosen;
    const bool has_x2apic = io::cpuid(1).ecx & bit(21);
    const u64 base = io::read_msr(msr_apic_base);
    if (!has_x2apic && !(base & base_x2apic)) {
        xapic_registers = x86::map_device(MachineAddr{base & base_address_mask}, page_size);
        if (!xapic_registers)
            panic("No room to map the local APIC");
    }
    init_this_cpu();
    log_info("Local APIC: id %u, %s mode", id().raw(), is_x2apic() ? "x2APIC" : "xAPIC");
}

void init_this_cpu()
{
    u64 base = io::read_msr(msr_apic_base);
    if (!(base & base_enabled))
        io::write_msr(msr_apic_base, base |= base_enabled);
    if (is_x2apic() && !(base & base_x2apic)) // [SDM 3A 11.12.5] only from the enabled state
        io::write_msr(msr_apic_base, base | base_x2apic);

    mask_local_interrupts();
    put(reg_tpr, 0);
    put(reg_svr, svr_enable | vectors.spurious);
    for (unsigned n = 0; n < 256; n++) { // what the firmware left in service would block everything below it
        u32 busy = 0;
        for (unsigned i = 0; i < 8; i++)
            busy |= get(reg_isr + i * 0x10);
        if (!busy)
            break;
        eoi();
    }
    take_errors();
    put(reg_lvt_error, vectors.error);
    put(reg_lvt_lint1, delivery_nmi); // where every PC has it [MP 1.4 3.6.2]
    init_timer_on_this_cpu();
}

ApicId id() { return ApicId{is_x2apic() ? get(reg_id) : get(reg_id) >> 24}; }
bool is_x2apic() { return xapic_registers == nullptr; }
void eoi() { put(reg_eoi, 0); }
bool in_service(u8 vector) { return get(reg_isr + (vector / 32) * 0x10) >> (vector % 32) & 1; }

void send_ipi(ApicId to, u8 vector) { send(to.raw(), vector | icr_assert); }
void send_init(ApicId to) { send(to.raw(), delivery_init | icr_assert | icr_level); }
void send_startup(ApicId to, u8 page) { send(to.raw(), delivery_startup | icr_assert | page); }
void send_nmi_to_others() { send(0, delivery_nmi | icr_assert | icr_others); }

u32 take_errors()
{
    put(reg_esr, 0); // [SDM 3A 11.5.3] a write latches what happened since the last one
    return get(reg_esr);
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
        panic("The local APIC timer does not count");
    log_info("Local APIC timer: %lu kHz", counter_hz / 1000);
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
