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
constexpr u64 visible_efer = bit(0) | bit(8) | bit(10) | bit(11), guest_pat = 0x050100070406;

Result<u64> read_hardware(bool is_there, u32 index)
{
    u64 value;
    return is_there && read_msr_safe(index, value) ? Result<u64>(value) : Error::inval;
}
Result<u64> constant(bool is_there, u64 value) { return is_there ? Result<u64>(value) : Error::inval; }
Status accept(bool is_good) { return is_good ? Status(success) : Error::inval; }

} // namespace

Result<u64> read_guest_msr(Vcpu& vcpu, u32 index)
{
    const bool is_amd = !features.is_intel;
    switch (index) {
    case msr::efer: return visible_efer;
    case msr::pat: return guest_pat;
    case msr::apic_base: return 0xfee00800 | (vcpu.id.raw() == 0 ? 0x100 : 0);
    case msr::tsc_aux: return constant(features.rdtscp, vcpu.arch.state->tsc_aux);
    case tsc: return read_tsc();
    case mcg_cap:
    case mcg_status:
    case platform_info:
    case misc_features:
    case amd_int_pending: return u64{0};
    case msr::misc_enable:
    case platform_id: return read_hardware(features.is_intel, index);
    case microcode_rev: return read_hardware(true, index);
    case amd_hwcr: return constant(is_amd, 0);
    case amd_de_cfg: return constant(is_amd, 2); // LFENCE is serialising
    case amd_mmio_cfg:
    case amd_nb_cfg: return read_hardware(is_amd && vcpu.domain.arch.has_hardware, index);
    }
    return Error::inval;
}

Status write_guest_msr(Vcpu& vcpu, u32 index, u64 value)
{
    if (is_base_msr(index)) {
        if (!is_canonical(value))
            return Error::inval;
        write_msr(index, value);
        return success;
    }
    switch (index) {
    case msr::efer: return accept((value & ~visible_efer) == 0);
    case msr::pat: return accept(value == guest_pat);
    case msr::tsc_aux:
        if (!features.rdtscp || value >> 32)
            return Error::inval;
        vcpu.arch.state->tsc_aux = this_cpu().tsc_aux = value;
        write_msr(msr::tsc_aux, value);
        return success;
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
    case msr::fmask: return success; // accepted, without effect
    case msr::misc_enable: return accept(features.is_intel);
    case amd_hwcr:
    case amd_de_cfg: return accept(!features.is_intel);
    }
    return Error::inval;
}

} // namespace tenon::x86::pv
