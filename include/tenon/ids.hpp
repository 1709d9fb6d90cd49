// Numbers with a meaning, and the small ones: which domain, vCPU, CPU, port, interrupt.
#pragma once
#include <compare>
#include <tenon/lib/types.hpp>

namespace tenon {

struct Domain;
struct Vcpu;

/// Two Strong types never mix, conversions have names.
template <class Tag, class Rep = u64> class Strong {
public:
    constexpr Strong() = default;
    constexpr explicit Strong(Rep value) : value_(value) {}
    constexpr Rep raw() const { return value_; }
    constexpr auto operator<=>(const Strong&) const = default;
    constexpr Strong operator+(Rep n) const { return Strong(Rep(value_ + n)); }
    constexpr Strong operator-(Rep n) const { return Strong(Rep(value_ - n)); }
    constexpr Rep operator-(Strong other) const { return Rep(value_ - other.value_); }
    constexpr Strong& operator+=(Rep n) { return *this = *this + n; }
    constexpr Strong& operator++() { return *this = *this + 1; }

private:
    Rep value_{};
};

using DomainId = Strong<struct DomainIdTag, u16>;
using VcpuId = Strong<struct VcpuIdTag, u32>;
using CpuId = Strong<struct CpuIdTag, u32>;
using ApicId = Strong<struct ApicIdTag, u32>;
using Pirq = Strong<struct PirqTag, u32>; ///< a guest's physical interrupt number
using Vector = Strong<struct VectorTag, u8>;

inline constexpr DomainId dom0_id{0};
inline constexpr DomainId first_reserved_domain{0x7ff0};
inline constexpr DomainId dom_self{0x7ff0};
inline constexpr DomainId dom_io{0x7ff1};
inline constexpr DomainId dom_xen{0x7ff2}; ///< frames that belong to the hypervisor itself
inline constexpr DomainId dom_invalid{0x7ff4};
inline constexpr DomainId dom_idle{0x7fff};

#ifndef TENON_MAX_CPUS
#define TENON_MAX_CPUS 128 // the simulation of the scheduler has more
#endif
inline constexpr unsigned max_cpus = TENON_MAX_CPUS;
inline constexpr unsigned max_vcpus = 128;

} // namespace tenon
