// What a PV kernel finds at its first instruction (rsi points at start_info), and the ELF notes by
// which the kernel image says how it wants to be loaded.
#pragma once

#include "types.h"

#define MAX_GUEST_CMDLINE 1024

// Bits of start_info.flags.
#define SIF_PRIVILEGED (1 << 0)      // may use the control interfaces
#define SIF_INITDOMAIN (1 << 1)      // is the first domain
#define SIF_MULTIBOOT_MOD (1 << 2)   // mod_start names a list of modules
#define SIF_MOD_START_PFN (1 << 3)   // mod_start is a PFN, not an address
#define SIF_VIRT_P2M_4TOOLS (1 << 4) // tools understand a linear p2m
#define SIF_PM_MASK (0xFF << 8)      // power management bits

struct start_info {
    char magic[32];       // "xen-<major>.<minor>-x86_64"
    uint64_t nr_pages;    // memory of this domain
    uint64_t shared_info; // machine address
    uint32_t flags;       // SIF_*
    xen_pfn_t store_mfn;  // Xenstore ring: its frame and its event channel
    uint32_t store_evtchn;
    union {
        struct {
            xen_pfn_t mfn; // console ring
            uint32_t evtchn;
        } domU;
        struct {
            uint32_t info_off; // dom0_vga_console_info, from the start of this struct
            uint32_t info_size;
        } dom0;
    } console;
    uint64_t pt_base; // virtual address of the L4
    uint64_t nr_pt_frames;
    uint64_t mfn_list;  // virtual address of the p2m
    uint64_t mod_start; // initrd: virtual address, or PFN with SIF_MOD_START_PFN
    uint64_t mod_len;
    int8_t cmd_line[MAX_GUEST_CMDLINE];
    uint64_t first_p2m_pfn; // frames of the p2m when it lies outside the initial mapping
    uint64_t nr_p2m_frames;
};
ABI_SIZE(struct start_info, 0x490);

struct xen_multiboot_mod_list {
    uint32_t mod_start, mod_end; // bytes, end exclusive
    uint32_t cmdline;
    uint32_t pad;
};
ABI_SIZE(struct xen_multiboot_mod_list, 16);

#define XEN_VGATYPE_TEXT_MODE_3 0x03
#define XEN_VGATYPE_VESA_LFB 0x23
#define XEN_VGATYPE_EFI_LFB 0x70

struct dom0_vga_console_info {
    uint8_t video_type; // XEN_VGATYPE_*
    union {
        struct {
            uint16_t font_height;
            uint16_t cursor_x, cursor_y;
            uint16_t rows, columns;
        } text_mode_3;
        struct {
            uint16_t width, height;
            uint16_t bytes_per_line, bits_per_pixel;
            uint32_t lfb_base; // low half of the frame buffer's machine address
            uint32_t lfb_size; // in units of 64 KiB
            uint8_t red_pos, red_size;
            uint8_t green_pos, green_size;
            uint8_t blue_pos, blue_size;
            uint8_t rsvd_pos, rsvd_size;
            uint32_t gbl_caps;
            uint16_t mode_attrs;
            uint16_t pad;
            uint32_t ext_lfb_base; // high half
        } vesa_lfb;
    } u;
};
ABI_SIZE(struct dom0_vga_console_info, 40);

// ELF notes, owner "Xen". Numbers are 4 or 8 bytes; strings end with a zero.
#define XEN_ELFNOTE_INFO 0
#define XEN_ELFNOTE_ENTRY 1
#define XEN_ELFNOTE_HYPERCALL_PAGE 2
#define XEN_ELFNOTE_VIRT_BASE 3
#define XEN_ELFNOTE_PADDR_OFFSET 4
#define XEN_ELFNOTE_XEN_VERSION 5
#define XEN_ELFNOTE_GUEST_OS 6
#define XEN_ELFNOTE_GUEST_VERSION 7
#define XEN_ELFNOTE_LOADER 8
#define XEN_ELFNOTE_PAE_MODE 9
#define XEN_ELFNOTE_FEATURES 10
#define XEN_ELFNOTE_BSD_SYMTAB 11
#define XEN_ELFNOTE_HV_START_LOW 12
#define XEN_ELFNOTE_L1_MFN_VALID 13
#define XEN_ELFNOTE_SUSPEND_CANCEL 14
#define XEN_ELFNOTE_INIT_P2M 15
#define XEN_ELFNOTE_MOD_START_PFN 16
#define XEN_ELFNOTE_SUPPORTED_FEATURES 17
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define XEN_ELFNOTE_MAX 18
// Notes of core dumps.
#define XEN_ELFNOTE_CRASH_INFO 0x1000001
#define XEN_ELFNOTE_CRASH_REGS 0x1000002
#define XEN_ELFNOTE_DUMPCORE_NONE 0x2000000
#define XEN_ELFNOTE_DUMPCORE_HEADER 0x2000001
#define XEN_ELFNOTE_DUMPCORE_XEN_VERSION 0x2000002
#define XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION 0x2000003
