// What the boot loader told us, in plain data. Pointers lead into the loader's own memory, which stays untouched until dom0 is built.
#pragma once
#include <span>
#include <tenon/lib/types.hpp>

namespace tenon {

struct BootModule {
    u64 start = 0, bytes = 0; ///< machine address
    const char* command_line = "";
};

struct BootFramebuffer {
    u64 address = 0; ///< 0: there is none
    u32 pitch = 0, width = 0, height = 0;
    u8 bits_per_pixel = 0; ///< 16, 24 or 32
    struct Channel {
        u8 position = 0, size = 0;
    } red, green, blue;
};

struct BootInfo {
    const char* command_line = "";
    const char* loader = "";
    static constexpr unsigned max_modules = 16;
    BootModule module_list[max_modules];
    unsigned module_count = 0;
    std::span<const BootModule> modules() const { return {module_list, module_count}; }

    std::span<const u8> mmap; ///< entries of {u64 base, u64 bytes, u32 e820 type, ...}
    u32 mmap_entry_bytes = 0;

    BootFramebuffer framebuffer;
    bool has_graphics = false; ///< the screen shows pixels, also where the framebuffer is none that we can draw on
    u8 rsdp[36]{};             ///< copy of the ACPI root pointer
    u32 rsdp_bytes = 0;        ///< 20 or 36; 0: none given
    u64 efi_system_table = 0;  ///< 64-bit firmware only
};

} // namespace tenon
