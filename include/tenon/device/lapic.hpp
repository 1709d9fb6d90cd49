// The local APIC of each CPU, in xAPIC or x2APIC mode. [SDM 3A 11]
#pragma once
#include <tenon/ids.hpp>

namespace tenon::lapic {

struct Vectors {
    u8 timer, error, spurious;
};
/// Chooses the mode for all CPUs, maps the registers and sets up this (boot) CPU. After acpi::init.
void init_boot_cpu(const Vectors& vectors);
/// The same setup on another CPU.
void init_this_cpu();
/// Measures the timer against the calibrated TSC. After clock::init, boot CPU.
void calibrate_timer();

ApicId id();
bool is_x2apic();
void eoi();
/// True while this vector is being served, so that an EOI would belong to it.
bool in_service(u8 vector);
void send_ipi(ApicId to, u8 vector);
void send_init(ApicId to);
/// `page` < 256: the CPU starts in real mode at page * 4 KiB.
void send_startup(ApicId to, u8 page);
/// NMI to every CPU but this one (stopping the machine).
void send_nmi_to_others();

/// One shot after `ns` from now, at most some seconds (it fires early rather than late); 0 stops it.
void set_timer(u64 ns);
/// True when the timer takes TSC values; then use this: 0 stops it.
bool has_tsc_deadline();
void set_deadline(u64 tsc);
/// Clears and returns the error status register.
u32 take_errors();

} // namespace tenon::lapic
