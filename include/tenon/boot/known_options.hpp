// What the command line says about dom0, the CPUs and the consoles.
#pragma once
#include <string_view>
#include <tenon/lib/types.hpp>
#include <tenon/log.hpp>

namespace tenon::options {

/// `dom0_mem=[min:A,][max:B,][C]`; each amount may be negative: all memory but so much.
struct Amount {
    u64 bytes = 0;
    bool is_reduction = false;
    /// In frames, of `available` ones; `unsaid` when the option did not name the amount.
    constexpr u64 frames_of(u64 available, u64 unsaid) const
    {
        u64 n = bytes >> page_shift;
        return is_reduction ? available - min(n, available) : bytes ? n : unsaid;
    }
};
struct Dom0Memory {
    Amount initial, minimum, maximum;
    /// Frames to give dom0 at start: what is asked for within the bounds; everything when nothing is said. At most `available`.
    u64 initial_frames(u64 available) const;
    /// Frames that dom0 may balloon up to; ~0 when nothing is said.
    u64 maximum_frames(u64 available) const { return maximum.frames_of(available, ~u64{0}); }
};
extern Dom0Memory dom0_memory;

extern u32 dom0_max_vcpus;          ///< 0: as many as CPUs
extern u32 dom0_min_vcpus;          ///< from the form `dom0_max_vcpus=2-4`
extern u32 max_cpus;                ///< `maxcpus=`; `nosmp` is 1; 0: all
extern std::string_view console;    ///< list of com1, com2, vga, none
extern std::string_view com1, com2; ///< empty: not given
extern bool noreboot, smap, smep, pcid, console_timestamps;
extern bool smt;         ///< false: only the first thread of each core is started
extern bool keep_screen; ///< `vga=keep`: the log stays on the screen when dom0 runs
/// Least important level that is shown, of Tenon's lines and of what guests print as info; errors cannot be turned off.
extern LogLevel log_level, guest_log_level;

/// True when `item` stands in `console=`.
bool console_names(std::string_view item);

} // namespace tenon::options
