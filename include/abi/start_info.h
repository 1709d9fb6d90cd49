// What a PV kernel finds at its first instruction (rsi points at start_info), and the ELF notes by
// which the kernel image says how it wants to be loaded.
#pragma once

#include "types.h"

#define MAX_GUEST_CMDLINE 1024

// Bits of start_info.flags.
#define SIF_PRIVILEGED (1 << 0)    // may use the control interfaces
#define SIF_INITDOMAIN (1 << 1)    // is the first domain
#define SIF_MOD_START_PFN (1 << 3) // mod_start is a PFN, not an address

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
            uint32_t info_off, info_size; // dom0_vga_console_info, from the start of this struct
        } dom0;
    } console;
    uint64_t pt_base, nr_pt_frames; // virtual address of the L4
    uint64_t mfn_list;              // virtual address of the p2m
    uint64_t mod_start, mod_len;    // initrd: virtual address, or PFN with SIF_MOD_START_PFN
    int8_t cmd_line[MAX_GUEST_CMDLINE];
    uint64_t first_p2m_pfn, nr_p2m_frames; // frames of the p2m when it lies outside the initial mapping
};

enum { XEN_VGATYPE_TEXT_MODE_3 = 0x03, XEN_VGATYPE_VESA_LFB = 0x23, XEN_VGATYPE_EFI_LFB = 0x70 };

struct dom0_vga_console_info {
    uint8_t video_type; // XEN_VGATYPE_*
    union {
        struct {
            uint16_t font_height, cursor_x, cursor_y, rows, columns;
        } text_mode_3;
        struct {
            uint16_t width, height, bytes_per_line, bits_per_pixel;
            uint32_t lfb_base, lfb_size; // low half of the frame buffer's machine address; units of 64 KiB
            uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size, rsvd_pos, rsvd_size;
            uint32_t gbl_caps;
            uint16_t mode_attrs, pad;
            uint32_t ext_lfb_base; // high half
        } vesa_lfb;
    } u;
};

// ELF notes, owner "Xen". Numbers are 4 or 8 bytes; strings end with a zero.
enum {
    XEN_ELFNOTE_ENTRY = 1,
    XEN_ELFNOTE_HYPERCALL_PAGE = 2,
    XEN_ELFNOTE_VIRT_BASE = 3,
    XEN_ELFNOTE_PADDR_OFFSET = 4,
    XEN_ELFNOTE_XEN_VERSION = 5,
    XEN_ELFNOTE_LOADER = 8,
    XEN_ELFNOTE_FEATURES = 10,
    XEN_ELFNOTE_INIT_P2M = 15,
    XEN_ELFNOTE_MOD_START_PFN = 16,
    XEN_ELFNOTE_SUPPORTED_FEATURES = 17,
};
