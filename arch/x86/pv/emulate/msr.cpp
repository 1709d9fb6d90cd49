// MSRs that a guest may read, and the few it may write. What is not listed does not exist: #GP, which guest kernels expect.
#include "../../cpu/features.hpp"
#include "../vcpu.hpp"
#include "emulate.hpp"
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {
constexpr u32 tsc = 0x10, platform_id = 0x17, microcode_rev = 0x8b, mcg_cap = 0x179, mcg_status = 0x17a, misc_features = 0x140,
              platform_info = 0xce;
constexpr u32 amd_hwcr = 0xc0010015, amd_int_pending = 0xc0010055, amd_de_cfg = 0xc0011029, amd_mmio_cfg = 0xc0010058,
              amd_nb_cfg = 0xc001001f;
constexpr u64 visible_efer = bit(0) | bit(8) | bit(10) | bit(11);
} // namespace

bool read_guest_msr(Vcpu& vcpu, u32 index, u64& value)
{
    if (is_base_msr(index)) {
        value = read_msr(index);
        return true;
    }
    const bool hardware = vcpu.domain.arch.has_hardware;
    switch (index) {
    case msr::efer: value = visible_efer; return true;
    case msr::pat: value = 0x050100070406; return true;
    case msr::apic_base: value = 0xfee00800 | (vcpu.id.raw() == 0 ? 0x100 : 0); return true;
    case msr::tsc_aux: value = vcpu.arch.state->tsc_aux; return features.rdtscp;
    case tsc: value = read_tsc(); return true;
    case mcg_cap:
    case mcg_status:
    case platform_info:
    case misc_features:
    case amd_int_pending: value = 0; return true;
    case msr::misc_enable:
    case platform_id: return features.is_intel && read_msr_safe(index, value);
    case microcode_rev: return read_msr_safe(index, value);
    case amd_hwcr: value = 0; return !features.is_intel;
    case amd_de_cfg: value = 2; return !features.is_intel; // LFENCE is serialising
    case amd_mmio_cfg:
    case amd_nb_cfg: return hardware && !features.is_intel && read_msr_safe(index, value);
    }
    return false;
}

bool write_guest_msr(Vcpu& vcpu, u32 index, u64 value)
{
    if (is_base_msr(index)) {
        if (!is_canonical(value))
            return false;
        write_msr(index, value);
        return true;
    }
    switch (index) {
    case msr::efer: return (value & ~visible_efer) == 0;
    case msr::pat: return value == 0x050100070406;
    case msr::tsc_aux:
        if (!features.rdtscp || value >> 32)
            return false;
        vcpu.arch.state->tsc_aux = this_cpu().tsc_aux = value;
        write_msr(msr::tsc_aux, value);
        return true;
    case msr::apic_base:
    case tsc:
    case 0x79:          // microcode update
    case microcode_rev: // cleared before the revision is read
    case mcg_status:
    case msr::sysenter_cs:
    case msr::sysenter_esp:
    case msr::sysenter_eip:
    case msr::star:
    case msr::lstar:
    case msr::cstar:
    case msr::fmask: return true; // accepted, without effect
    case msr::misc_enable: return features.is_intel;
    case amd_hwcr:
    case amd_de_cfg: return !features.is_intel;
    }
    return false;
}

} // namespace tenon::x86::pv
