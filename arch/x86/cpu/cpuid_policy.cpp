// CPUID policies. A PV guest never sees what it cannot use in ring 3 or what Tenon does not switch: PSE, PGE, PCID, SMEP, SMAP, UMIP, LA57,
// PKU, CET, INVPCID, MTRR, x2APIC, MONITOR, VMX, SVM, XSAVES, TSC deadline. [SDM 2A CPUID; APM 3 appendix E]
#include "cpuid_policy.hpp"
#include "../pv/emulate/emulate.hpp"
#include "features.hpp"
#include "machine.hpp"
#include "../time/clock.hpp"
#include <tenon/arch/clock.hpp>
#include <abi/cpuid.h>
#include <tenon/domain/domain.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::x86 {

using arch::PolicyIndex;

namespace {

constexpr u32 edx_1 = 0x1fc9cbf5 & ~u32(bit(21) | bit(22) | bit(29)), ecx_1 = 0xf6d83203 & ~u32(bit(15)), ebx_7 = 0xfdaf0b39, ecx_7 = 0x1a405f42,
              edx_7 = 0xac01451c, eax_7_1 = 0x1c30, eax_d_1 = 7, edx_81 = 0xea500800, ecx_81 = 0x042109e3, edx_87 = 0x100, ebx_88 = 0x64001005;

struct Place {
    u32 leaf, subleaf;
};
constexpr u32 last_basic = 0xd, last_extended = 0x80000008;

/// The leaves that a policy lists, in order.
constexpr Place places[] = {{0, 0},          {1, 0},          {2, 0},          {4, 0},          {4, 1},          {4, 2},          {4, 3},          {7, 0},
                            {7, 1},          {0xd, 0},        {0xd, 1},        {0xd, 2},        {0xd, 5},        {0xd, 6},        {0xd, 7},        {0x80000000, 0},
                            {0x80000001, 0}, {0x80000002, 0}, {0x80000003, 0}, {0x80000004, 0}, {0x80000005, 0}, {0x80000006, 0}, {0x80000007, 0}, {0x80000008, 0}};
constexpr unsigned place_count = sizeof places / sizeof places[0];

CpuidResult xsave_leaf(u32 subleaf)
{
    if (!features.xsave)
        return {};
    u64 mask = features.xcr0_mask;
    if (subleaf == 0)
        return {u32(mask), features.xsave_bytes, features.xsave_bytes, u32(mask >> 32)};
    CpuidResult r = cpuid(0xd, subleaf);
    if (subleaf == 1)
        return {r.eax & eax_d_1, features.xsave_bytes, 0, 0};
    return subleaf < 63 && mask >> subleaf & 1 ? r : CpuidResult{};
}

CpuidResult guest_leaf(u32 leaf, u32 subleaf)
{
    CpuidResult r = cpuid(leaf, subleaf);
    switch (leaf) {
    case 0: return {min(r.eax, last_basic), r.ebx, r.ecx, r.edx};
    case 1:
        r.ecx = (r.ecx & ecx_1) | u32(bit(31));
        if (!features.xsave)
            r.ecx &= ~u32(bit(26) | bit(27) | bit(28) | bit(12) | bit(29));
        else
            r.ecx |= u32(bit(27)); // OSXSAVE
        r.edx = (r.edx & edx_1) | u32(bit(9));
        r.ebx = (r.ebx & 0x0000ffff) | 1u << 16; // one logical processor a package: see leaf 4
        r.edx &= ~u32(bit(28));
        return r;
    case 2: return r;
    case 4: // vCPUs share no caches that anybody could count on
        if (subleaf >= 8)
            return {};
        r.eax &= 0x3fff;
        return r;
    case 7:
        if (subleaf == 1)
            return {r.eax & eax_7_1, 0, 0, 0};
        if (subleaf > 1)
            return {};
        return {min(r.eax, 1u), r.ebx & ebx_7, r.ecx & ecx_7, r.edx & edx_7 & ~u32(bit(26) | bit(27) | bit(29) | bit(31))};
    case 0xd: return xsave_leaf(subleaf);
    case 0x80000000: return {min(r.eax, last_extended), r.ebx, r.ecx, r.edx};
    case 0x80000001: return {r.eax, r.ebx, r.ecx & ecx_81, r.edx & edx_81};
    case 0x80000002 ... 0x80000006: return r;
    case 0x80000007: return {0, 0, 0, r.edx & edx_87};
    case 0x80000008: return {(r.eax & 0xffff) | 0, r.ebx & ebx_88 & ~u32(bit(12)), 0, 0};
    }
    return {};
}

} // namespace

CpuidResult policy_leaf(PolicyIndex which, u32 leaf, u32 subleaf)
{
    if (leaf > cpuid(leaf & 0x80000000).eax)
        return {};
    return which == PolicyIndex::raw || which == PolicyIndex::host ? cpuid(leaf, subleaf) : guest_leaf(leaf, subleaf);
}

} // namespace tenon::x86

namespace tenon::arch {

using namespace x86;

unsigned cpu_policy_leaves(PolicyIndex) { return place_count; }

xen_cpuid_leaf cpu_policy_leaf(PolicyIndex which, unsigned index)
{
    Place p = places[index];
    CpuidResult r = policy_leaf(which, p.leaf, p.subleaf);
    bool has_subleaves = p.leaf == 4 || p.leaf == 7 || p.leaf == 0xd;
    return {p.leaf, has_subleaves ? p.subleaf : XEN_CPUID_NO_SUBLEAF, r.eax, r.ebx, r.ecx, r.edx};
}

unsigned domain_policy_leaves(const Domain& domain) { return domain.arch.cpuid ? domain.arch.cpuid_leaves : place_count; }

xen_cpuid_leaf domain_policy_leaf(const Domain& domain, unsigned index)
{
    return domain.arch.cpuid ? static_cast<const xen_cpuid_leaf*>(domain.arch.cpuid)[index] : cpu_policy_leaf(PolicyIndex::pv_default, index);
}

Status set_domain_policy(Domain& domain, std::span<const xen_cpuid_leaf> leaves, PolicyError& where)
{
    auto* policy = make_array<xen_cpuid_leaf>(place_count);
    if (!policy)
        return Error::nomem;
    for (unsigned i = 0; i < place_count; i++)
        policy[i] = cpu_policy_leaf(PolicyIndex::pv_default, i);
    for (const xen_cpuid_leaf& want : leaves)
        for (unsigned i = 0; i < place_count; i++) {
            xen_cpuid_leaf& have = policy[i];
            if (have.leaf != want.leaf || have.subleaf != want.subleaf)
                continue;
            // Feature words may only lose bits; the rest (names, cache and topology numbers) is the tools' to choose.
            bool features_word = want.leaf == 1 || want.leaf == 7 || want.leaf == 0x80000001 || want.leaf == 0x80000007;
            xen_cpuid_leaf most = cpu_policy_leaf(PolicyIndex::pv_max, i);
            if (features_word && ((want.c & ~(most.c | u32(bit(27)))) || (want.d & ~most.d) || (want.leaf == 7 && (want.b & ~most.b)))) {
                where = {want.leaf, want.subleaf};
                heap::free(policy);
                return Error::inval;
            }
            if (want.leaf != 0xd)
                have = want;
        }
    heap::free(domain.arch.cpuid);
    domain.arch.cpuid = policy;
    domain.arch.cpuid_leaves = place_count;
    return success;
}

} // namespace tenon::arch

namespace tenon::x86::pv {

namespace {

constexpr u32 hypervisor_base = 0x40000000;

void hypervisor_leaf(Vcpu& vcpu, u32 leaf, u32 subleaf, u32 out[4])
{
    const ArchDomain& a = vcpu.domain.arch;
    switch (leaf - hypervisor_base) {
    case 0:
        out[0] = hypervisor_base + 5;
        out[1] = 0x566e6558; // "XenVMMXenVMM"
        out[2] = 0x65584d4d;
        out[3] = 0x4d4d566e;
        break;
    case 1: out[0] = 4 << 16 | 17; break;
    case 2:
        out[0] = 1;
        out[1] = hypervisor_base;
        out[2] = 1; // MMU_PT_UPDATE_PRESERVE_AD
        break;
    case 3: {
        auto clock = arch::clock_snapshot();
        if (subleaf == 0) {
            out[0] = features.rdtscp ? 4 : 0;
            out[1] = a.tsc_mode;
            out[2] = a.tsc_khz ? a.tsc_khz : u32(clock::tsc_hz() / 1000);
            out[3] = a.tsc_incarnation;
        } else if (subleaf == 1) {
            out[2] = clock.mul;
            out[3] = u32(s32(clock.shift));
        } else if (subleaf == 2)
            out[0] = u32(clock::tsc_hz() / 1000);
        break;
    }
    case 5:
        if (subleaf == 0)
            out[1] = max_machine_width();
        break;
    }
}

} // namespace

void guest_cpuid(Vcpu& vcpu, u32 leaf, u32 subleaf, u32 out[4])
{
    out[0] = out[1] = out[2] = out[3] = 0;
    if ((leaf & 0xffff0000) == hypervisor_base)
        return hypervisor_leaf(vcpu, leaf, subleaf, out);
    const Domain& d = vcpu.domain;
    CpuidResult r{};
    if (d.arch.cpuid && leaf != 0xd) {
        for (unsigned i = 0; i < d.arch.cpuid_leaves; i++) {
            xen_cpuid_leaf l = arch::domain_policy_leaf(d, i);
            if (l.leaf == leaf && (l.subleaf == XEN_CPUID_NO_SUBLEAF || l.subleaf == subleaf)) {
                r = {l.a, l.b, l.c, l.d};
                break;
            }
        }
    } else
        r = policy_leaf(arch::PolicyIndex::pv_default, leaf, subleaf);
    if (leaf == 1) {
        r.ebx = (r.ebx & 0x00ffffff) | vcpu.id.raw() * 2 << 24;
        // OSXSAVE mirrors the guest's CR4 in hardware; a PV guest relies on seeing it from the start.
        if (r.ecx & bit(26))
            r.ecx |= u32(bit(27));
    }
    out[0] = r.eax;
    out[1] = r.ebx;
    out[2] = r.ecx;
    out[3] = r.edx;
}

} // namespace tenon::x86::pv
