// Who owns which interrupt vector. 0x00-0x1f are exceptions; a higher class (vector >> 4) interrupts before a lower one. [SDM 3A 11.8.3]
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::x86 {

inline constexpr u8 legacy_vector = 0x20;       ///< the silenced i8259s, 16 vectors
inline constexpr u8 first_device_vector = 0x30; ///< handed out by lines.cpp
inline constexpr u8 last_device_vector = 0xdf;
inline constexpr u8 timer_vector = 0xfa;
inline constexpr u8 kick_vector = 0xfb;    ///< look at the scheduler and the mailbox
inline constexpr u8 request_vector = 0xfc; ///< TLB flush, call on another CPU
inline constexpr u8 error_vector = 0xfe;
inline constexpr u8 spurious_vector = 0xff; ///< low four bits set, as old local APICs demand

/// An external interrupt arrived with this vector; interrupts are off. Who let it in may hold an mm_lock, and nothing above. Acknowledges
/// it and delivers it.
void handle_device_interrupt(u8 vector);

} // namespace tenon::x86
