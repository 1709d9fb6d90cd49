// CPUID policies. A PV guest never sees what it cannot use in ring 3 or what Tenon does not switch: PSE, PGE, PCID, SMEP, SMAP, UMIP, LA57,
// PKU, CET, INVPCID, MTRR, x2APIC, MONITOR, VMX, SVM, XSAVES, TSC deadline. [SDM 2A CPUID; APM 3 appendix E]
#include "../boot/boot.hpp"
#include "../pv/emulate/emulate.hpp"
#include "../time/clock.hpp"
#include "features.hpp"
#include <abi/cpuid.h>
#include <array>
#include <iterator>
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/cpuid.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::x86 {

namespace {

constexpr u32 none = XEN_CPUID_NO_SUBLEAF, all = ~0u, last_basic = 0xd, last_extended = 0x80000008;

struct Words {
    u32 a, b, c, d;
};
constexpr Words everything{all, all, all, all}, cache{0x3fff, all, all, all}; // vCPUs share no caches that anybody could count on

/// A leaf that a policy lists, in order, the bits of the CPU's answer that a guest may see, and the words that are feature bits: there
/// the tools may only clear some; the rest (names, caches, topology) is theirs to choose. There is a row for every leaf up to the last
/// one, also where a guest sees nothing: tools read a policy, list all of that from it, and want it to fit where the policy was.
constexpr struct Rule {
    u32 leaf, subleaf;
    Words keep{}, features{};
} rules[] = {
    {0, none, everything},
    {1, none, {all, 0xffff, 0xf6d83203, 0x0f89cbf5}, {0, 0, all, ~u32(bit(28))}}, // HTT is topology
    {2, none, everything},
    {3, none, {}, everything},
    {4, 0, cache},
    {4, 1, cache},
    {4, 2, cache},
    {4, 3, cache},
    {4, 4, cache},
    {5, none, {}, everything},
    {6, none, {}, everything},
    {7, 0, {all, 0xfdaf0b39, 0x1a405f42, 0x0001451c}, {0, all, all, all}},
    {7, 1, {0x1c30, 0, 0, 0}, {all, 0, 0, 0}},
    {8, none, {}, everything},
    {9, none, {}, everything},
    {0xa, none, {}, everything},
    {0xb, 0},
    {0xc, none, {}, everything},
    {0xd, 0},
    {0xd, 1},
    {0xd, 2},
    {0xd, 3},
    {0xd, 4},
    {0xd, 5},
    {0xd, 6},
    {0xd, 7},                             // by xsave_leaf()
    {XEN_CPUID_FIRST_LEAF, none},         // by hypervisor_leaf()
    {XEN_CPUID_FIRST_LEAF + 0x100, none}, // where it would be behind another interface's leaves
    {0x80000000, none, everything},
    {0x80000001, none, {all, all, 0x042109e3, 0xea500800}, {0, 0, all, all}},
    {0x80000002, none, everything},
    {0x80000003, none, everything},
    {0x80000004, none, everything},
    {0x80000005, none, everything},
    {0x80000006, none, everything},
    {0x80000007, none, {0, 0, 0, 0x100}, {0, 0, 0, all}},
    {0x80000008, none, {0xffff, 0x64000005, 0, 0}, {0, all, 0, 0}},
};
constexpr unsigned rule_count = std::size(rules);

/// FSGSBASE, of leaf 7. A kernel that has it reads KERNEL_GS_BASE at each switch of tasks, and in ring 3 that is a trap: Linux' switches
/// cost twice as much with it as without. The tools can give it to a domain.
constexpr u32 not_by_default = u32(bit(0));

CpuidResult xsave_leaf(u32 subleaf)
{
    const u64 mask = features.xcr0_mask;
    if (!features.xsave)
        return {};
    if (subleaf == 0)
        return {u32(mask), features.xsave_bytes, features.xsave_bytes, u32(mask >> 32)};
    const CpuidResult r = cpuid(0xd, subleaf);
    if (subleaf == 1)
        return {r.eax & 7, features.xsave_bytes, 0, 0};
    return mask & bit(subleaf) ? r : CpuidResult{};
}

CpuidResult guest_leaf(const Rule& rule, CpuidResult r)
{
    r = {r.eax & rule.keep.a, r.ebx & rule.keep.b, r.ecx & rule.keep.c, r.edx & rule.keep.d};
    switch (rule.leaf) {
    case 0: r.eax = min(r.eax, last_basic); break;
    case 1:
        r.ebx |= 1 << 16;      // one logical processor a package: see leaf 4
        r.ecx |= u32(bit(31)); // a hypervisor is there
        r.edx |= u32(bit(9));  // APIC
        if (features.xsave)
            r.ecx |= u32(bit(27)); // OSXSAVE
        else
            r.ecx &= ~u32(bit(26) | bit(27) | bit(28) | bit(12) | bit(29));
        break;
    case 7: r.eax = rule.subleaf == 0 ? min(r.eax, 1u) : r.eax; break;
    case 0xd: return xsave_leaf(rule.subleaf);
    case 0x80000000: r.eax = min(r.eax, last_extended); break;
    }
    return r;
}

xen_cpuid_leaf policy_leaf(arch::PolicyIndex which, const Rule& rule)
{
    CpuidResult r{};
    if (rule.leaf <= cpuid(rule.leaf & 0x80000000).eax) {
        r = cpuid(rule.leaf, rule.subleaf == none ? 0 : rule.subleaf);
        if (which != arch::PolicyIndex::raw && which != arch::PolicyIndex::host)
            r = guest_leaf(rule, r);
        if (which == arch::PolicyIndex::pv_default && rule.leaf == 7 && rule.subleaf == 0)
            r.ebx &= ~not_by_default;
    }
    return {rule.leaf, rule.subleaf, r.eax, r.ebx, r.ecx, r.edx};
}

/// The first rule of a leaf by its lowest bits, basic and extended.
constexpr auto first_rules = [] {
    std::array<std::array<u8, 16>, 2> first{};
    for (unsigned i = rule_count; i-- > 0;)
        first[rules[i].leaf >> 31][rules[i].leaf & 15] = u8(i);
    return first;
}();

static_assert(rules[rule_count - 1].subleaf == none, "where a search ends");

/// In a policy, which has one entry for each rule.
const xen_cpuid_leaf* find_leaf(const xen_cpuid_leaf* policy, u32 leaf, u32 subleaf)
{
    for (const xen_cpuid_leaf* l = policy + first_rules[leaf >> 31][leaf & 15]; l->leaf == leaf; l++)
        if (l->subleaf == none || l->subleaf == subleaf)
            return l;
    return nullptr;
}

/// What most domains see. Kept, because where Tenon itself runs on a hypervisor each CPUID costs thousands of cycles.
constinit xen_cpuid_leaf default_policy[rule_count]{};

} // namespace

void make_default_policy()
{
    for (unsigned i = 0; i < rule_count; i++)
        default_policy[i] = policy_leaf(arch::PolicyIndex::pv_default, rules[i]);
}

} // namespace tenon::x86

namespace tenon::arch {

using namespace x86;

static const xen_cpuid_leaf* policy_of(const Domain& domain)
{
    const auto* own = static_cast<const xen_cpuid_leaf*>(domain.arch.cpuid);
    return own ? own : default_policy;
}

unsigned cpu_policy_leaves(PolicyIndex) { return rule_count; }
xen_cpuid_leaf cpu_policy_leaf(PolicyIndex which, unsigned index) { return policy_leaf(which, rules[index]); }
unsigned domain_policy_leaves(const Domain&) { return rule_count; }

xen_cpuid_leaf domain_policy_leaf(const Domain& domain, unsigned index) { return policy_of(domain)[index]; }

Status set_domain_policy(Domain& domain, std::span<const xen_cpuid_leaf> leaves, PolicyError& where)
{
    auto* policy = make_array<xen_cpuid_leaf>(rule_count);
    if (!policy)
        return Error::nomem;
    for (unsigned i = 0; i < rule_count; i++) {
        const Rule& rule = rules[i];
        policy[i] = default_policy[i];
        for (const xen_cpuid_leaf& want : leaves) {
            if (rule.leaf != want.leaf || rule.subleaf != want.subleaf)
                continue;
            const xen_cpuid_leaf most = policy_leaf(PolicyIndex::pv_max, rule);
            const Words& f = rule.features;
            const u32 c = most.c | u32(bit(27)); // OSXSAVE follows the guest's CR4
            if ((want.a & ~most.a & f.a) | (want.b & ~most.b & f.b) | (want.c & ~c & f.c) | (want.d & ~most.d & f.d)) {
                where = {want.leaf, want.subleaf};
                heap::free(policy);
                return Error::inval;
            }
            if (want.leaf != 0xd)
                policy[i] = want;
        }
        // OSXSAVE mirrors the guest's CR4 in hardware; a PV guest relies on seeing it from the start.
        if (rule.leaf == 1 && policy[i].c & bit(26))
            policy[i].c |= u32(bit(27));
    }
    heap::free(domain.arch.cpuid);
    domain.arch.cpuid = policy;
    return success;
}

} // namespace tenon::arch

namespace tenon::x86::pv {

namespace {

[[gnu::noinline]] CpuidResult hypervisor_leaf(const ArchDomain& a, u32 leaf, u32 subleaf)
{
    switch (leaf - XEN_CPUID_FIRST_LEAF) {
    case 0: return {XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES), XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
    case 1: return {4 << 16 | 17, 0, 0, 0};
    case 2: return {1, XEN_CPUID_FIRST_LEAF, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, 0};
    case 3: {
        const u32 khz = u32(clock::tsc_hz() / 1000);
        const auto clock = arch::clock_snapshot();
        if (subleaf == 0)
            return {features.rdtscp ? 4u : 0, a.tsc_mode, a.tsc_khz ? a.tsc_khz : khz, a.tsc_incarnation};
        if (subleaf == 1)
            return {0, 0, clock.mul, u32(s32(clock.shift))};
        return {subleaf == 2 ? khz : 0, 0, 0, 0};
    }
    case 5: return {0, subleaf == 0 ? max_machine_width() : 0, 0, 0};
    }
    return {};
}

} // namespace

CpuidResult guest_cpuid(const Vcpu& vcpu, u32 leaf, u32 subleaf)
{
    if ((leaf & 0xffff0000) == XEN_CPUID_FIRST_LEAF)
        return hypervisor_leaf(vcpu.domain.arch, leaf, subleaf);
    const xen_cpuid_leaf* l = find_leaf(arch::policy_of(vcpu.domain), leaf, subleaf);
    if (!l)
        return {};
    CpuidResult r = {l->a, l->b, l->c, l->d};
    if (leaf == 1)
        r.ebx = (r.ebx & 0x00ffffff) | vcpu.id.raw() * 2 << 24;
    return r;
}

} // namespace tenon::x86::pv
