// platform_op: what only the hardware domain asks for: time of day, firmware, sleep, physical CPUs.
#pragma once

#include "types.h"

#define XENPF_INTERFACE_VERSION 0x03000001

enum {
    XENPF_settime32 = 17,
    XENPF_read_memtype = 33,
    XENPF_efi_runtime_call = 49,
    XENPF_firmware_info = 50,
    XENPF_enter_acpi_sleep = 51,
    XENPF_get_cpuinfo = 55,
    XENPF_settime64 = 62,
    XENPF_get_symbol = 63,
};

enum { XEN_FW_DISK_INFO = 1, XEN_FW_EFI_INFO = 4, XEN_FW_KBD_SHIFT_FLAGS = 5 };
enum { XEN_FW_EFI_VERSION = 0, XEN_FW_EFI_CONFIG_TABLE = 1, XEN_FW_EFI_VENDOR = 2, XEN_FW_EFI_RT_VERSION = 4 };

// What the hypervisor knows of the firmware; disks and displays are not among it.
struct xenpf_firmware_info {
    uint32_t type, index; // XEN_FW_*; of XEN_FW_EFI_INFO: XEN_FW_EFI_*
    union {
        union {
            uint32_t version;
            struct {
                uint64_t addr; // machine address of the configuration tables
                uint32_t nent;
            } cfg;
            struct {
                uint32_t revision, bufsz;
                uint64_t name; /* -> uint16_t[bufsz / 2] */
            } vendor;
            uint64_t pad[4];
        } efi_info;
        uint8_t kbd_shift_flags;
    } u;
};

#define XENPF_ACPI_SLEEP_EXTENDED 0x00000001

struct xenpf_enter_acpi_sleep {
    uint16_t val_a, val_b;       // values for the PM1a and PM1b control registers
    uint32_t sleep_state, flags; // XENPF_ACPI_SLEEP_*
};

enum { XEN_PCPU_FLAGS_ONLINE = 1, XEN_PCPU_FLAGS_INVALID = 2 };

struct xenpf_pcpuinfo {
    uint32_t xen_cpuid;               // in
    uint32_t max_present;             // out, highest CPU number there is
    uint32_t flags, apic_id, acpi_id; // out, XEN_PCPU_FLAGS_*
};

struct xen_platform_op {
    uint32_t cmd, interface_version; // XENPF_*, XENPF_INTERFACE_VERSION
    union {
        struct {
            uint32_t secs, nsecs;
            uint64_t system_time; // the moment at which it was that time of day
        } settime32;
        struct {
            uint64_t secs;
            uint32_t nsecs, mbz;
            uint64_t system_time;
        } settime64;
        struct xenpf_firmware_info firmware_info;
        struct xenpf_enter_acpi_sleep enter_acpi_sleep;
        struct xenpf_pcpuinfo pcpu_info;
        uint8_t pad[128];
    } u;
};
