// CPU features: found once, switched on per CPU. [SDM 1 chapter 13, SDM 3A 2.5; CPUID in SDM 2A]
#include "features.hpp"
#include "per_cpu.hpp"
#include <tenon/boot/known_options.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

constinit Features features{};


void find_features()
{
    auto base = cpuid(0), one = cpuid(1), extended = cpuid(0x80000000);
    Features& f = features;
    f.is_intel = base.ebx == 0x756e6547;
    f.xsave = one.ecx & bit(26);
    f.x2apic = one.ecx & bit(21);
    f.tsc_deadline = one.ecx & bit(24);
    f.has_sysenter = f.is_intel && (one.edx & bit(11)); // AMD raises #UD for it in long mode
    if (base.eax >= 7) {
        auto seven = cpuid(7);
        f.fsgsbase = seven.ebx & bit(0);
        f.smep = seven.ebx & bit(7);
        f.smap = seven.ebx & bit(20);
        f.umip = seven.ecx & bit(2);
    }
    if (extended.eax >= 0x80000001) {
        auto e = cpuid(0x80000001);
        f.rdtscp = e.edx & bit(27);
        f.pages_1g = e.edx & bit(26);
    }
    f.invariant_tsc = extended.eax >= 0x80000007 && (cpuid(0x80000007).edx & bit(8));
    f.physical_bits = extended.eax >= 0x80000008 ? cpuid(0x80000008).eax & 0xff : 36;
    f.xsave_bytes = 512 + 64;
    f.xcr0_mask = 3;
    if (f.xsave) {
        // x87, SSE, AVX, AVX-512: what a PV guest may use. MPX and PKRU are hidden from guests.
        auto d = cpuid(0xd);
        f.xcr0_mask = (u64(d.edx) << 32 | d.eax) & 0xe7;
        if ((f.xcr0_mask & 0xe0) != 0xe0)
            f.xcr0_mask &= ~u64{0xe0};
        auto d1 = cpuid(0xd, 1);
        f.xsaveopt = d1.eax & 1;
        f.xsavec = d1.eax & 2;
        for (unsigned i = 2; i < 8; i++)
            if (f.xcr0_mask & bit(i)) {
                auto part = cpuid(0xd, i);
                f.xsave_bytes = max(f.xsave_bytes, part.eax + part.ebx);
            }
    }
    if (f.xsave_bytes > page_size)
        panic("the CPU's XSAVE area has %u bytes, more than a page", f.xsave_bytes);
    f.smep = f.smep && options::smep;
    f.smap = f.smap && options::smap;
    log_info("CPU: %s%s%s%s%s%u physical address bits, XCR0 mask %lx", f.smep ? "SMEP " : "", f.smap ? "SMAP " : "", f.fsgsbase ? "FSGSBASE " : "",
             f.xsave ? "XSAVE " : "", f.x2apic ? "x2APIC " : "", f.physical_bits, f.xcr0_mask);
}

void init_cpu_features()
{
    u64 c4 = cr4::pae | cr4::mce | cr4::osfxsr | cr4::osxmmexcpt;
    if (features.smep)
        c4 |= cr4::smep;
    if (features.smap)
        c4 |= cr4::smap;
    if (features.xsave)
        c4 |= cr4::osxsave;
    if (features.fsgsbase)
        c4 |= cr4::fsgsbase;
    write_cr4(c4);
    write_cr0(cr0::pe | cr0::mp | cr0::et | cr0::ne | cr0::wp | cr0::am | cr0::pg);
    write_msr(msr::efer, read_msr(msr::efer) | bit(0) | bit(11));
    write_msr(msr::pat, 0x050100070406); // the guest ABI's page attribute table
    if (features.xsave)
        asm volatile("xsetbv" ::"c"(0), "a"(u32(features.xcr0_mask)), "d"(u32(features.xcr0_mask >> 32)));
}

void give_up_smap()
{
    write_cr4(read_cr4() & ~cr4::smap);
    log_once(LogLevel::warning, "SMAP is off: this CPU reads the stack of a ring-3 iret with supervisor rights");
}

} // namespace tenon::x86
