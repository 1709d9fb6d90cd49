// Whether spin locks check their order: a choice of the configuration.
#pragma once
#include <config.hpp>

namespace tenon {
inline constexpr bool checks_lock_order = config::debug_locks;
}
