// sysctl: CPUID policies of the machine, as leaves and as the public feature words.
#include "request.hpp"
#include <tenon/arch/cpuid.hpp>

namespace tenon::sysctls {
namespace {

enum class Register : u8 { a, b, c, d };

/// Word n of a feature set. [public header arch-x86/cpufeatureset.h]
struct FeatureWord {
    u32 leaf, subleaf;
    Register reg;
};
constexpr FeatureWord feature_words[] = {
    {0x1, 0, Register::d},        {0x1, 0, Register::c},        {0x80000001, 0, Register::d}, {0x80000001, 0, Register::c},
    {0xd, 1, Register::a},        {0x7, 0, Register::b},        {0x7, 0, Register::c},        {0x80000007, 0, Register::d},
    {0x80000008, 0, Register::b}, {0x7, 0, Register::d},        {0x7, 1, Register::a},        {0x80000021, 0, Register::a},
    {0x7, 1, Register::b},        {0x7, 2, Register::d},        {0x7, 1, Register::c},        {0x7, 1, Register::d},
};

bool has_subleaves(u32 leaf)
{
    return leaf == 0x7 || leaf == 0xd;
}

u32 feature_word(arch::PolicyIndex which, const FeatureWord& word)
{
    for (unsigned i = 0, count = arch::cpu_policy_leaves(which); i < count; i++) {
        xen_cpuid_leaf leaf = arch::cpu_policy_leaf(which, i);
        if (leaf.leaf != word.leaf || (has_subleaves(leaf.leaf) && leaf.subleaf != word.subleaf))
            continue;
        u32 registers[] = {leaf.a, leaf.b, leaf.c, leaf.d};
        return registers[u8(word.reg)];
    }
    return 0;
}

/// Policies of hardware-virtualised guests do not exist.
Result<arch::PolicyIndex> policy_of_featureset(u32 index)
{
    switch (index) {
    case XEN_SYSCTL_cpu_featureset_raw: return arch::PolicyIndex::raw;
    case XEN_SYSCTL_cpu_featureset_host: return arch::PolicyIndex::host;
    case XEN_SYSCTL_cpu_featureset_pv: return arch::PolicyIndex::pv_default;
    case XEN_SYSCTL_cpu_featureset_pv_max: return arch::PolicyIndex::pv_max;
    case XEN_SYSCTL_cpu_featureset_hvm:
    case XEN_SYSCTL_cpu_featureset_hvm_max: return Error::notsup;
    default: return Error::inval;
    }
}

} // namespace

/// A null array asks for the number of words.
CallResult cpu_features(Request& r)
{
    auto& request = r.op.u.cpu_featureset;
    constexpr u32 words = std::size(feature_words);
    if (!request.features) {
        request.nr_features = words;
        return s64{0};
    }
    auto which = TRY(policy_of_featureset(request.index));
    u32 count = min(request.nr_features, words);
    for (u32 i = 0; i < count; i++)
        TRY((GuestPtr<u32>(request.features) + i).write(feature_word(which, feature_words[i])));
    request.nr_features = count;
    return count < words ? CallResult(Error::nospc) : s64{0};
}

CallResult cpu_policy(Request& r)
{
    auto& request = r.op.u.cpu_policy;
    if (request._rsvd)
        return Error::inval;
    if (request.index == XEN_SYSCTL_cpu_policy_hvm_max || request.index == XEN_SYSCTL_cpu_policy_hvm_default)
        return Error::notsup;
    if (request.index > XEN_SYSCTL_cpu_policy_hvm_default)
        return Error::inval;
    auto which = arch::PolicyIndex(request.index);
    u32 count = arch::cpu_policy_leaves(which);
    if (request.leaves) {
        if (request.nr_leaves < count)
            return Error::nospc;
        for (u32 i = 0; i < count; i++)
            TRY((GuestPtr<xen_cpuid_leaf>(request.leaves) + i).write(arch::cpu_policy_leaf(which, i)));
    }
    request.nr_leaves = count;
    request.nr_msrs = 0;
    return s64{0};
}

/// CPUID is answered by software for every guest: nothing has to be levelled in hardware.
CallResult levelling_caps(Request& r)
{
    r.op.u.cpu_levelling_caps.caps = 0;
    return s64{0};
}

} // namespace tenon::sysctls
