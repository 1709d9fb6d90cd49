// The pair of legacy interrupt controllers: moved out of the way of exceptions and silenced.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::i8259 {

/// Maps IRQ 0-15 to `first_vector`.. and masks them all. [8259A datasheet]
void disable(u8 first_vector);

} // namespace tenon::i8259
