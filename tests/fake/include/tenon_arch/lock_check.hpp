// On the fake machine every lock's order is checked.
#pragma once

namespace tenon {
inline constexpr bool checks_lock_order = true;
}
