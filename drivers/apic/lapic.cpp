// Local APIC: mode, setup, identity, end of interrupt, messages to other CPUs. The timer is in lapic_timer.cpp. [SDM 3A 11.4 - 11.12]
#include "lapic_registers.hpp"
#include <tenon/device/acpi.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::lapic {

constinit void* xapic_registers = nullptr;
constinit Vectors vectors{};

namespace {

constexpr u32 msr_apic_base = 0x1b;
constexpr u64 base_enabled = bit(11), base_x2apic = bit(10), base_address_mask = 0xf'ffff'ffff'f000;
constexpr u32 svr_enable = 1 << 8, delivery_nmi = 4 << 8, delivery_init = 5 << 8, delivery_startup = 6 << 8;
constexpr u32 icr_busy = 1 << 12, icr_assert = 1 << 14, icr_level = 1 << 15, icr_others = 3 << 18;

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

/// [ACPI 5.2.12.7] Which local pin brings NMI to this CPU.
void connect_nmi()
{
    const acpi::Machine& machine = acpi::machine();
    u32 my_acpi_id = ~0u;
    for (u32 i = 0; i < machine.cpu_count; i++)
        if (machine.cpus[i].apic == id())
            my_acpi_id = machine.cpus[i].acpi_id;
    for (u32 i = 0; i < machine.nmi_count; i++)
        if (machine.nmis[i].acpi_id == ~0u || machine.nmis[i].acpi_id == my_acpi_id)
            put(machine.nmis[i].lint ? reg_lvt_lint1 : reg_lvt_lint0, delivery_nmi | u32(machine.nmis[i].low) << 13);
}

void mask_local_interrupts()
{
    const unsigned last_lvt = get(reg_version) >> 16 & 0xff;
    for (const u32 reg : {reg_lvt_timer, reg_lvt_lint0, reg_lvt_lint1, reg_lvt_error})
        put(reg, lvt_masked);
    if (last_lvt >= 4)
        put(reg_lvt_perf, lvt_masked);
    if (last_lvt >= 5)
        put(reg_lvt_thermal, lvt_masked);
    if (last_lvt >= 6)
        put(reg_lvt_cmci, lvt_masked);
}

} // namespace

void init_boot_cpu(const Vectors& chosen)
{
    vectors = chosen;
    const bool has_x2apic = io::cpuid(1).c & bit(21);
    const u64 base = io::read_msr(msr_apic_base);
    if (!has_x2apic && !(base & base_x2apic)) {
        xapic_registers = x86::map_device(MachineAddr{base & base_address_mask}, page_size);
        if (!xapic_registers)
            panic("No room to map the local APIC\n");
    }
    init_this_cpu();
    log_info("Local APIC: id %u, %s mode\n", id().raw(), is_x2apic() ? "x2APIC" : "xAPIC");
}

void init_this_cpu()
{
    u64 base = io::read_msr(msr_apic_base);
    if (!(base & base_enabled))
        io::write_msr(msr_apic_base, base |= base_enabled);
    if (is_x2apic() && !(base & base_x2apic)) // [SDM 3A 11.12.5] only from the enabled state
        io::write_msr(msr_apic_base, base | base_x2apic);

    mask_local_interrupts();
    if (!is_x2apic()) {
        put(reg_dfr, ~0u); // flat model; physical destinations are used, but reserved encodings must not stay
        put(reg_ldr, 0);
    }
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
    connect_nmi();
    init_timer_on_this_cpu();
}

ApicId id() { return ApicId{is_x2apic() ? get(reg_id) : get(reg_id) >> 24}; }
bool is_x2apic() { return xapic_registers == nullptr; }
void eoi() { put(reg_eoi, 0); }
bool in_service(u8 vector) { return get(reg_isr + (vector / 32) * 0x10) >> (vector % 32) & 1; }

void send_ipi(ApicId to, u8 vector) { send(to.raw(), vector | icr_assert); }
void send_nmi(ApicId to) { send(to.raw(), delivery_nmi | icr_assert); }
void send_init(ApicId to)
{
    send(to.raw(), delivery_init | icr_assert | icr_level);
    if (!is_x2apic()) // the level de-assert of old local APICs; later ones ignore it
        send(to.raw(), delivery_init | icr_level);
}
void send_startup(ApicId to, u8 page) { send(to.raw(), delivery_startup | icr_assert | page); }
void send_nmi_to_others() { send(0, delivery_nmi | icr_assert | icr_others); }

u32 take_errors()
{
    put(reg_esr, 0); // [SDM 3A 11.5.3] a write latches what happened since the last one
    return get(reg_esr);
}

void shut_down()
{
    mask_local_interrupts();
    put(reg_svr, vectors.spurious);
}

} // namespace tenon::lapic
