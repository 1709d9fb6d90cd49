// CPU features: found once, switched on per CPU. [SDM 1 chapter 13, SDM 3A 2.5; CPUID in SDM 2A]
#include "features.hpp"
#include <tenon/boot/known_options.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>
#include <tenon_arch/guest_words.hpp>

namespace tenon::x86 {

constinit Features features{};

void find_features()
{
    const auto base = cpuid(0), one = cpuid(1), extended = cpuid(0x80000000);
    const auto seven = base.eax >= 7 ? cpuid(7) : CpuidResult{};
    Features& f = features;
    f.is_intel = base.ebx == 0x756e6547;
    f.xsave = one.ecx & bit(26);
    f.has_sysenter = f.is_intel && (one.edx & bit(11)); // AMD raises #UD for it in long mode
    f.fsgsbase = seven.ebx & bit(0);
    f.smep = (seven.ebx & bit(7)) && options::smep;
    f.smap = (seven.ebx & bit(20)) && options::smap;
    f.pcid = (one.ecx & bit(17)) && (seven.ebx & bit(10)) && options::pcid;
    f.rdtscp = cpuid(0x80000001).edx & bit(27); // long mode implies the leaf
    f.physical_bits = extended.eax >= 0x80000008 ? cpuid(0x80000008).eax & 0xff : 36;
    // [APM 2 11.4.4; APM 3 CPUID 8000_0008 EBX RstrFpErrPtrs] Not restored without a pending x87 exception, but on newer CPUs.
    f.fp_pointers_stay = !f.is_intel && !(extended.eax >= 0x80000008 && (cpuid(0x80000008).ebx & bit(2)));
    f.xsave_bytes = 512 + 64;
    f.xcr0_mask = 3;
    if (f.xsave) {
        // x87, SSE, AVX, AVX-512: what a PV guest may use. MPX and PKRU are hidden from guests.
        auto d = cpuid(0xd);
        f.xcr0_mask = (u64(d.edx) << 32 | d.eax) & 0xe7;
        if ((f.xcr0_mask & 0xe0) != 0xe0)
            f.xcr0_mask &= ~u64{0xe0};
        for (unsigned i = 2; i < 8; i++)
            if (f.xcr0_mask & bit(i)) {
                auto part = cpuid(0xd, i);
                f.xsave_bytes = max(f.xsave_bytes, part.eax + part.ebx);
            }
    }
    if (f.xsave_bytes > page_size)
        panic("the CPU's XSAVE area has %u bytes, more than a page", f.xsave_bytes);
    log_info("CPU: %s%s%s%s%s%u physical address bits, XCR0 mask %lx", f.smep ? "SMEP " : "", f.smap ? "SMAP " : "", f.pcid ? "PCID " : "",
             f.fsgsbase ? "FSGSBASE " : "", f.xsave ? "XSAVE " : "", f.physical_bits, f.xcr0_mask);
}

void init_cpu_features()
{
    write_cr4(cr4::pae | cr4::mce | cr4::osfxsr | cr4::osxmmexcpt | (features.smep ? cr4::smep : 0) | (features.smap ? cr4::smap : 0) |
              (features.xsave ? cr4::osxsave : 0) | (features.pcid ? cr4::pcide : 0));
    write_cr0(cr0::pe | cr0::mp | cr0::et | cr0::ne | cr0::wp | cr0::am | cr0::pg);
    write_msr(msr::efer, read_msr(msr::efer) | bit(0) | bit(11));
    write_msr(msr::pat, 0x050100070406); // the guest ABI's page attribute table
    if (features.xsave)
        asm volatile("xsetbv" ::"c"(0), "a"(u32(features.xcr0_mask)), "d"(u32(features.xcr0_mask >> 32)));
}

bool read_msr_safe(u32 index, u64& value)
{
    u32 low, high;
    asm goto("1: rdmsr\n" ON_FAULT(bad) : "=a"(low), "=d"(high) : "c"(index) : : bad);
    value = u64(high) << 32 | low;
    return true;
bad:
    return false;
}

void give_up_smap()
{
    write_cr4(read_cr4() & ~cr4::smap);
    log_once(LogLevel::warning, "SMAP is off: this CPU reads the stack of a ring-3 iret with supervisor rights");
}

} // namespace tenon::x86
