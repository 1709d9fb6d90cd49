// dom0's kernel: from the file that the boot loader handed over (bzImage, ELF, gzipped ELF) to segments and PV notes.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <tenon/lib/result.hpp>
#include <tenon/lib/types.hpp>

namespace tenon {

/// Memory for the boot stage, taken from the front, never given back piece by piece.
class Arena : Pinned {
public:
    explicit Arena(std::span<u8> memory) : memory_(memory) {}
    /// Contents undefined, aligned if the arena is; nullptr when the rest is too small.
    void* take(u64 bytes, u64 alignment = 16);

private:
    std::span<u8> memory_;
    u64 used_ = 0;
};

// The next two run decoders that were compiled for user land: SSE is enabled, FS base points to a zeroed page (stack protector),
// 64 KiB of stack are free, interrupts are off. What is wrong is logged, once.

/// Bytes that the arena of unpack_kernel() needs for this file; 0 when it is taken as it is.
Result<u64> memory_to_unpack(std::span<const u8> file);
/// The ELF file in it: the file itself, or decompressed into the arena.
Result<std::span<const u8>> unpack_kernel(std::span<const u8> file, Arena& arena);

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
    bool mod_start_pfn = false;              ///< the initrd need not be mapped
    u32 features = 0, required_features = 0; ///< bits of XENFEAT_*: can use; cannot do without
    std::string_view loader, interface;      ///< empty: not said; they live as long as the file

    u64 address_of(const Segment& s) const { return s.paddr - paddr_offset + virt_base; }
};

/// Checks everything that the builder relies on: sizes, overlaps, ranges. Logs the one reason for a refusal.
Status parse_elf(std::span<const u8> elf, KernelImage& image);

inline constexpr u32 elf_magic = 0x464c457f; ///< "\x7f" "ELF"

} // namespace tenon
