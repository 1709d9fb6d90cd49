// dom0's kernel: from the file that the boot loader handed over (bzImage, ELF) to segments and PV notes.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <tenon/lib/result.hpp>
#include <tenon/lib/types.hpp>

namespace tenon {

/// Memory that a decoder takes from the front and gives back as a whole.
struct Arena {
    std::span<u8> memory;    ///< what is left, aligned to 16 bytes
    bool is_used_up = false; ///< somebody got nothing
    /// Contents undefined; nullptr when the rest is too small.
    void* take(u64 bytes);
};

/// What the file contains.
struct PackedKernel {
    std::span<const u8> data;
    const struct Decoder* decoder = nullptr; ///< nullptr: `data` is an ELF file as it is
    u64 unpacked_bytes = 0;
};
Result<PackedKernel> look_into(std::span<const u8> file);
/// Decompresses it into `out`, of unpacked_bytes. The decoders were compiled for user land: SSE is enabled, FS base points to a zeroed
/// page (stack protector), 64 KiB of stack are free, interrupts are off.
Status unpack_kernel(const PackedKernel& kernel, std::span<u8> out, Arena& arena);
// What is wrong is logged, once.

/// What the PV builder needs of a kernel. Addresses are guest virtual; a segment lies at paddr - paddr_offset + virt_base.
struct KernelImage {
    struct Segment {
        u64 paddr, memory_bytes;
        std::span<const u8> data; ///< the rest up to memory_bytes is zero
    };
    static constexpr unsigned max_segments = 16;
    Segment segment_list[max_segments]{};
    unsigned segment_count = 0;
    std::span<const Segment> segments() const { return {segment_list, segment_count}; }

    std::optional<u64> entry; ///< first instruction
    u64 virt_base = 0;        ///< of pseudo-physical frame 0
    u64 paddr_offset = 0;
    u64 start = 0, end = 0; ///< virtual range of all segments
    std::optional<u64> hypercall_page, init_p2m;
    bool mod_start_pfn = false;         ///< the initrd need not be mapped
    bool is_not_pv = false;             ///< requires a feature of other kinds of guest
    std::string_view loader, interface; ///< empty: not said; they live as long as the file

    u64 address_of(const Segment& s) const { return s.paddr - paddr_offset + virt_base; }
};

/// Checks everything that the builder relies on: sizes, overlaps, ranges. Logs the one reason for a refusal.
Status parse_elf(std::span<const u8> elf, KernelImage& image);

inline constexpr u32 elf_magic = 0x464c457f; ///< "\x7f" "ELF"

} // namespace tenon
