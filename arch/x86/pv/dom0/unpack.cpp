// dom0's kernel out of its module. The decoders run on a stack and in memory that nobody has yet; what they make is borrowed until the
// domain is built.
#include "../../boot/boot.hpp"
#include "../../boot/boot_memory.hpp"
#include "../../cpu/per_cpu.hpp"
#include "dom0.hpp"
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::dom0 {

namespace {

constexpr u64 decoder_stack = 0x4'0000;
alignas(page_size) constinit u8 thread_page[page_size]{}; ///< where the decoders' stack protector looks

struct Job {
    const PackedKernel& kernel;
    std::span<u8> out;
    Arena arena;
    Status result = success;
};

void run_job(Job* job) { job->result = unpack_kernel(job->kernel, job->out, job->arena); }

void call_on_stack(u64 stack_top, void (*function)(Job*), Job* job)
{
    asm volatile("mov %%rsp, %%rbx\n"
                 "mov %0, %%rsp\n"
                 "call *%1\n"
                 "mov %%rbx, %%rsp" ::"r"(stack_top),
                 "r"(function), "D"(job)
                 : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
}

} // namespace

UnpackedKernel unpack(const BootInfo& info)
{
    if (info.module_count == 0)
        boot_failure("no module: dom0's kernel must be the first module2 of the boot loader's entry");
    const std::span<const u8> file = bytes_of(info.module_list[0]);
    UnpackedKernel kernel;
    write_msr(msr::fs_base, u64(thread_page));
    auto packed = look_into(file);
    if (!packed.ok())
        boot_failure("the first module is no kernel that Tenon can start");
    std::span<const u8> elf = packed->data;
    if (packed->decoder) {
        kernel.borrowed_frames = pages_for(packed->unpacked_bytes);
        kernel.borrowed = boot_memory::take_aligned(kernel.borrowed_frames);
        const boot_memory::Range rest = boot_memory::largest();
        const u64 scratch_bytes = (rest.end - rest.first) << page_shift;
        if (kernel.borrowed == invalid_mfn || scratch_bytes < decoder_stack)
            boot_failure("not enough memory to decompress dom0's kernel: it has %lu MiB", packed->unpacked_bytes >> 20);
        u8* scratch = own_frame(Mfn{rest.first});
        const std::span<u8> out{own_frame(kernel.borrowed), packed->unpacked_bytes};
        Job job{*packed, out, {{scratch + decoder_stack, scratch_bytes - decoder_stack}}};
        // What is logged there finds its CPU the usual way: from the top of the stack.
        u64 top = frame_end(align_down(u64(scratch) + decoder_stack, stack_size));
        *reinterpret_cast<StackInfo*>(top) = stack_info();
        call_on_stack(top, run_job, &job);
        if (!job.result.ok())
            boot_failure("dom0's kernel cannot be decompressed");
        elf = out;
    }
    write_msr(msr::fs_base, 0);
    if (!parse_elf(elf, kernel.image))
        boot_failure("dom0's kernel is no kernel that Tenon can start");
    return kernel;
}

} // namespace tenon::x86::dom0
