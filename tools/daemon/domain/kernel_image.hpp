// From the file that a distribution ships to what must be in a guest's memory: opens a bzImage, unpacks its
// payload, reads the ELF headers and the notes by which a kernel says how it wants to be started.
#pragma once

#include "decompress.hpp"
#include <tools/lib/ids.hpp>

#include <optional>
#include <string>

namespace tenon::tools {

struct KernelSegment {
    std::uint64_t guest_address; ///< physical, in the guest
    std::size_t file_offset, file_size, memory_size;
};

struct KernelImage {
    Bytes elf;
    std::vector<KernelSegment> segments;
    std::uint64_t virtual_base = 0; ///< where the guest's frame 0 is mapped at the start
    std::uint64_t entry = 0;
    std::optional<std::uint64_t> hypercall_page;
    std::optional<std::uint64_t> p2m_address; ///< wish for the p2m list outside the initial mapping
    bool initrd_by_frame = false;             ///< takes the initrd by frame number, so need not have it mapped
    std::uint64_t end = 0;                    ///< first guest-physical byte behind the segments

    /// Throws Error saying what is wrong with the kernel.
    static KernelImage parse(Bytes file);
};

} // namespace tenon::tools
