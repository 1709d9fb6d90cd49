// A number with a meaning: two Strong types never mix, conversions have names.
#pragma once
#include <compare>
#include <tenon/lib/types.hpp>

namespace tenon {

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

} // namespace tenon
