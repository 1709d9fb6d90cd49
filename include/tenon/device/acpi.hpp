// What the firmware's ACPI tables say about the machine: plain data, filled once at boot. Nothing here trusts a table: lengths and
// checksums are verified, and counts are bounded by the arrays below. [ACPI 6.5]
#pragma once
#include <tenon/addr.hpp>
#include <tenon/ids.hpp>
#include <tenon/lib/bytes.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::acpi {

/// Generic Address Structure. [ACPI 5.2.3.2]
struct Gas {
    enum Space : u8 { memory = 0, port = 1 };
    u8 space = memory, width = 0; ///< width in bits
    u64 address = 0;
    explicit operator bool() const { return address != 0; }
};
struct Cpu {
    ApicId apic{};
    u32 acpi_id = 0;
    bool enabled = false;
};
struct IoApic {
    u32 address = 0, gsi_base = 0;
};
/// Where an ISA interrupt really arrives, and how.
struct Override {
    u32 gsi = 0;
    bool level = false, low = false;
};
struct Power {
    bool timer_is_32_bit = false, has_rtc = true;
    Gas pm1a_control, pm1b_control, timer, sleep_control;
    struct {
        Gas reg;
        u8 value = 0;
    } reset;
    u8 century_index = 0;
    MachineAddr dsdt{};
    bool has_s5 = false; ///< the next two come from the DSDT's _S5_ package
    u8 s5_a = 0, s5_b = 0;
};
struct McfgEntry {
    u64 base = 0;
    u16 segment = 0;
    u8 first_bus = 0, last_bus = 0;
};

struct Machine {
    u32 cpu_count = 0, ioapic_count = 0, override_count = 0, mcfg_count = 0;
    Cpu cpus[max_cpus];
    IoApic ioapics[16];
    Override overrides[24];
    McfgEntry mcfg[8];
    Power power;
    bool has_power = false;

    /// The override that describes this GSI, or nullptr.
    const Override* override_for(u32 gsi) const
    {
        for (u32 i = 0; i < override_count; i++)
            if (overrides[i].gsi == gsi)
                return &overrides[i];
        return nullptr;
    }
};

/// Gives [addr, addr+bytes) for reading, or nullptr. Views live as long as the machine.
using MapTable = const u8* (*)(MachineAddr address, u64 bytes);

/// Reads every table Tenon uses. Error::nodev without a usable RSDP. Pure.
Status read_tables(Machine& machine, Bytes rsdp, MapTable map);
/// read_tables into the machine's one record, and a line in the log. Boot.
Status init(Bytes rsdp);
const Machine& machine();

/// Finds the SLP_TYP values of S5 in AML. Pure.
bool find_s5(const u8* aml, u64 bytes, u8& a, u8& b);

/// Writes the sleep registers with the values dom0 took from its _Sx package; state 1..5. Returns when the machine did not sleep.
Status enter_sleep(u32 value_a, u32 value_b, u32 state, bool extended);

/// Register access by Gas; widths of 8, 16 and 32 bits in port or memory space.
u32 read(const Gas& gas);
void write(const Gas& gas, u32 value);

} // namespace tenon::acpi
