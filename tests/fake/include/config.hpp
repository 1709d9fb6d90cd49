// The choices of Kconfig as the unit tests have them: on the fake machine every lock's order is checked.
#pragma once

namespace tenon::config {
inline constexpr bool debug_locks = true;
}
