// From the boot loader's modules to a running dom0.
#pragma once
#include "../../boot/kernel_image.hpp"
#include <tenon/boot/boot_info.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86::dom0 {

/// dom0's kernel, decompressed into memory that is borrowed until the domain is built.
struct UnpackedKernel {
    KernelImage image;
    Mfn borrowed = invalid_mfn;
    u64 borrowed_frames = 0;
};

inline std::span<const u8> bytes_of(const BootModule& m)
{
    return {own_frame<const u8>(Mfn{m.start >> page_shift}) + (m.start & page_mask), m.bytes};
}

/// Before the frame allocator takes over. Ends the boot with one clear line when there is no usable kernel.
UnpackedKernel unpack(const BootInfo& info);
/// Builds the domain and lets it run. Ends the boot likewise.
void start(const BootInfo& info, UnpackedKernel& kernel);

} // namespace tenon::x86::dom0
