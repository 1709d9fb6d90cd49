// platform_op: what only the hardware domain asks for: time of day, firmware, sleep, physical CPUs.
#pragma once

#include "platform_pm.h"
#include "types.h"

#define XENPF_INTERFACE_VERSION 0x03000001

#define XENPF_settime32 17
#define XENPF_add_memtype 31
#define XENPF_del_memtype 32
#define XENPF_read_memtype 33
#define XENPF_microcode_update 35
#define XENPF_platform_quirk 39
#define XENPF_get_cpu_version 48
#define XENPF_efi_runtime_call 49
#define XENPF_firmware_info 50
#define XENPF_enter_acpi_sleep 51
#define XENPF_change_freq 52
#define XENPF_getidletime 53
#define XENPF_set_processor_pminfo 54
#define XENPF_get_cpuinfo 55
#define XENPF_cpu_online 56
#define XENPF_cpu_offline 57
#define XENPF_cpu_hotadd 58
#define XENPF_mem_hotadd 59
#define XENPF_core_parking 60
#define XENPF_resource_op 61
#define XENPF_settime64 62
#define XENPF_get_symbol 63

struct xenpf_settime32 {
    uint32_t secs, nsecs;
    uint64_t system_time; // the moment at which it was that time of day
};
ABI_SIZE(struct xenpf_settime32, 16);

struct xenpf_settime64 {
    uint64_t secs;
    uint32_t nsecs;
    uint32_t mbz;
    uint64_t system_time;
};
ABI_SIZE(struct xenpf_settime64, 24);

struct xenpf_add_memtype {
    xen_pfn_t mfn;
    uint64_t nr_mfns;
    uint32_t type;
    uint32_t handle; // out
    uint32_t reg;    // out
};
ABI_SIZE(struct xenpf_add_memtype, 32);

struct xenpf_del_memtype {
    uint32_t handle, reg;
};
ABI_SIZE(struct xenpf_del_memtype, 8);

struct xenpf_read_memtype {
    uint32_t reg;
    xen_pfn_t mfn; // out, with the rest
    uint64_t nr_mfns;
    uint32_t type;
};
ABI_SIZE(struct xenpf_read_memtype, 32);

struct xenpf_microcode_update {
    uint64_t data; /* -> uint8_t[length] */
    uint32_t length;
};
ABI_SIZE(struct xenpf_microcode_update, 16);

#define QUIRK_NOIRQBALANCING 1
#define QUIRK_IOAPIC_BAD_REGSEL 2
#define QUIRK_IOAPIC_GOOD_REGSEL 3

struct xenpf_platform_quirk {
    uint32_t quirk_id;
};
ABI_SIZE(struct xenpf_platform_quirk, 4);

#define XEN_EFI_get_time 1
#define XEN_EFI_set_time 2
#define XEN_EFI_get_wakeup_time 3
#define XEN_EFI_set_wakeup_time 4
#define XEN_EFI_get_next_high_monotonic_count 5
#define XEN_EFI_get_variable 6
#define XEN_EFI_set_variable 7
#define XEN_EFI_get_next_variable_name 8
#define XEN_EFI_query_variable_info 9
#define XEN_EFI_query_capsule_capabilities 10
#define XEN_EFI_update_capsule 11

struct xenpf_efi_time {
    uint16_t year;
    uint8_t month, day;
    uint8_t hour, min, sec;
    uint32_t ns;
    int16_t tz;
    uint8_t daylight;
};
ABI_SIZE(struct xenpf_efi_time, 16);

struct xenpf_efi_guid {
    uint32_t data1;
    uint16_t data2, data3;
    uint8_t data4[8];
};
ABI_SIZE(struct xenpf_efi_guid, 16);

// The members of the capsule calls are left out.
struct xenpf_efi_runtime_call {
    uint32_t function; // XEN_EFI_*
    uint32_t misc;
    uint64_t status; // out, EFI_STATUS
    union {
        struct {
            struct xenpf_efi_time time;
            uint32_t resolution;
            uint32_t accuracy;
        } get_time;
        struct xenpf_efi_time set_time;
        struct xenpf_efi_time get_wakeup_time;
        struct xenpf_efi_time set_wakeup_time;
        struct {
            uint64_t name; /* -> uint16_t[], ends with 0 */
            uint64_t size;
            uint64_t data; /* -> uint8_t[size] */
            struct xenpf_efi_guid vendor_guid;
        } get_variable, set_variable;
        struct {
            uint64_t size;
            uint64_t name; /* -> uint16_t[size / 2] */
            struct xenpf_efi_guid vendor_guid;
        } get_next_variable_name;
        struct {
            uint32_t attr;
            uint64_t max_store_size;
            uint64_t remain_store_size;
            uint64_t max_size;
        } query_variable_info;
    } u;
};
ABI_SIZE(struct xenpf_efi_runtime_call, 56);

#define XEN_FW_DISK_INFO 1
#define XEN_FW_DISK_MBR_SIGNATURE 2
#define XEN_FW_VBEDDC_INFO 3
#define XEN_FW_EFI_INFO 4
#define XEN_FW_KBD_SHIFT_FLAGS 5

// Index of XEN_FW_EFI_INFO.
#define XEN_FW_EFI_VERSION 0
#define XEN_FW_EFI_CONFIG_TABLE 1
#define XEN_FW_EFI_VENDOR 2
#define XEN_FW_EFI_MEM_INFO 3
#define XEN_FW_EFI_RT_VERSION 4
#define XEN_FW_EFI_PCI_ROM 5
#define XEN_FW_EFI_APPLE_PROPERTIES 6

struct xenpf_firmware_info {
    uint32_t type; // XEN_FW_*
    uint32_t index;
    union {
        struct {
            uint8_t device, version;
            uint16_t interface_support;
            uint16_t legacy_max_cylinder;
            uint8_t legacy_max_head, legacy_sectors_per_track;
            uint64_t edd_params; /* -> uint8_t[], its first uint16_t says how long */
        } disk_info;
        struct {
            uint8_t device;
            uint32_t mbr_signature;
        } disk_mbr_signature;
        struct {
            uint8_t capabilities;
            uint8_t edid_transfer_time;
            uint64_t edid; /* -> uint8_t[128] */
        } vbeddc_info;
        union {
            uint32_t version;
            struct {
                uint64_t addr; // machine address of the configuration tables
                uint32_t nent;
            } cfg;
            struct {
                uint32_t revision;
                uint32_t bufsz;
                uint64_t name; /* -> uint16_t[bufsz / 2] */
            } vendor;
            struct {
                uint64_t addr; // in: where, out: the region around it
                uint64_t size;
                uint64_t attr;
                uint32_t type;
            } mem;
        } efi_info;
        uint8_t kbd_shift_flags;
    } u;
};
ABI_SIZE(struct xenpf_firmware_info, 40);

#define XENPF_ACPI_SLEEP_EXTENDED 0x00000001

struct xenpf_enter_acpi_sleep {
    uint16_t val_a, val_b; // values for the PM1a and PM1b control registers
    uint32_t sleep_state;
    uint32_t flags; // XENPF_ACPI_SLEEP_*
};
ABI_SIZE(struct xenpf_enter_acpi_sleep, 12);

struct xenpf_change_freq {
    uint32_t flags;
    uint32_t cpu;
    uint64_t freq; // Hz
};
ABI_SIZE(struct xenpf_change_freq, 16);

struct xenpf_getidletime {
    uint64_t cpumap_bitmap; /* -> uint8_t[(cpumap_nr_cpus + 7) / 8] */
    uint32_t cpumap_nr_cpus;
    uint64_t idletime; /* -> uint64_t[cpumap_nr_cpus] */
    uint64_t now;      // out
};
ABI_SIZE(struct xenpf_getidletime, 32);

#define XEN_PCPU_FLAGS_ONLINE 1
#define XEN_PCPU_FLAGS_INVALID 2

struct xenpf_pcpuinfo {
    uint32_t xen_cpuid;   // in
    uint32_t max_present; // out, highest CPU number there is
    uint32_t flags;       // out, XEN_PCPU_FLAGS_*
    uint32_t apic_id;
    uint32_t acpi_id;
};
ABI_SIZE(struct xenpf_pcpuinfo, 20);

struct xenpf_pcpu_version {
    uint32_t xen_cpuid;
    uint32_t max_present;
    char vendor_id[12];
    uint32_t family, model, stepping;
};
ABI_SIZE(struct xenpf_pcpu_version, 32);

struct xenpf_cpu_ol {
    uint32_t cpuid;
};
ABI_SIZE(struct xenpf_cpu_ol, 4);

struct xenpf_cpu_hotadd {
    uint32_t apic_id, acpi_id, pxm;
};
ABI_SIZE(struct xenpf_cpu_hotadd, 12);

struct xenpf_mem_hotadd {
    uint64_t spfn, epfn;
    uint32_t pxm;
    uint32_t flags;
};
ABI_SIZE(struct xenpf_mem_hotadd, 24);

#define XEN_CORE_PARKING_SET 1
#define XEN_CORE_PARKING_GET 2

struct xenpf_core_parking {
    uint32_t type; // XEN_CORE_PARKING_*
    uint32_t idle_nums;
};
ABI_SIZE(struct xenpf_core_parking, 8);

struct xenpf_symdata {
    uint32_t namelen; // in: room, out: needed
    uint32_t symnum;  // in: which, out: the next
    uint64_t name;    /* -> char[namelen] */
    uint64_t address;
    char type;
};
ABI_SIZE(struct xenpf_symdata, 32);

struct xen_platform_op {
    uint32_t cmd;               // XENPF_*
    uint32_t interface_version; // XENPF_INTERFACE_VERSION
    union {
        struct xenpf_settime32 settime32;
        struct xenpf_settime64 settime64;
        struct xenpf_add_memtype add_memtype;
        struct xenpf_del_memtype del_memtype;
        struct xenpf_read_memtype read_memtype;
        struct xenpf_microcode_update microcode;
        struct xenpf_platform_quirk platform_quirk;
        struct xenpf_efi_runtime_call efi_runtime_call;
        struct xenpf_firmware_info firmware_info;
        struct xenpf_enter_acpi_sleep enter_acpi_sleep;
        struct xenpf_change_freq change_freq;
        struct xenpf_getidletime getidletime;
        struct xenpf_set_processor_pminfo set_pminfo;
        struct xenpf_pcpuinfo pcpu_info;
        struct xenpf_pcpu_version pcpu_version;
        struct xenpf_cpu_ol cpu_ol;
        struct xenpf_cpu_hotadd cpu_add;
        struct xenpf_mem_hotadd mem_add;
        struct xenpf_core_parking core_parking;
        struct xenpf_symdata symdata;
        uint8_t pad[128];
    } u;
};
ABI_SIZE(struct xen_platform_op, 136);
