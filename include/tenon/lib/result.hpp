// Result<T>: a value, or the error number that the guest will see. No sentinel values.
#pragma once
#include <tenon/lib/types.hpp>
#include <utility>

namespace tenon {

/// Error numbers of the guest ABI (public errno list); only the dispatcher negates one.
enum class Error : s32 {
    perm = 1,
    noent = 2,
    srch = 3,
    io = 5,
    toobig = 7,
    nomem = 12,
    access = 13,
    fault = 14,
    busy = 16,
    exist = 17,
    nodev = 19,
    inval = 22,
    nospc = 28,
    range = 34,
    nosys = 38,
    nodata = 61,
    time = 62,
    notsup = 95,
    restart = 85, ///< internal: the call saved its position and wants to be executed again
};

struct Unit {};

/// The value in a Result. A Status has none and so fits one register: not a member that shares its address with the error, because GCC 12
/// may store a byte for it.
template <class T> struct Held {
    constexpr Held() : held{} {}
    constexpr explicit Held(T value) : held(std::move(value)) {}
    T held;
};
template <> struct Held<Unit> {
    constexpr Held() {}
    constexpr explicit Held(Unit) {}
    static inline Unit held{};
};

template <class T = Unit> class [[nodiscard]] Result : Held<T> {
    using Held<T>::held;

public:
    constexpr Result(T value) : Held<T>(std::move(value)) {}
    constexpr Result(Error error) : error_(s32(error)) {}
    constexpr bool ok() const { return error_ == 0; }
    constexpr explicit operator bool() const { return ok(); }
    constexpr Error error() const { return Error(error_); }
    constexpr T& value() { return held; }
    constexpr const T& value() const { return held; }
    constexpr T& operator*() { return held; }
    constexpr T* operator->() { return &held; }
    constexpr T value_or(T other) const { return ok() ? held : other; }

private:
    s32 error_ = 0;
};

using Status = Result<Unit>;
static_assert(sizeof(Status) == sizeof(s32));
inline constexpr Unit success{};

} // namespace tenon

/// Yields the value, or returns the error from the enclosing function.
#define TRY(expression)                     \
    ({                                      \
        auto try_result_ = (expression);    \
        if (!try_result_.ok()) [[unlikely]] \
            return try_result_.error();     \
        std::move(*try_result_);            \
    })
