// The command line: what it says about dom0, the CPUs and the consoles, and how its values are written.
#pragma once
#include <string_view>
#include <tenon/lib/result.hpp>
#include <tenon/log.hpp>

namespace tenon {

namespace options {

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

} // namespace options

namespace command_line {

/// Parses the whole line. Unknown and malformed options are named in the log and change nothing.
void parse(const char* line);
/// What was parsed, for people: at most 2 KiB of the line.
const char* text();

/// Value parsers. They take all of `text` or fail. A size is a number of bytes, or of K, M, G or T, as in 512M.
Result<u64> parse_number(std::string_view text, unsigned base = 10); ///< 0x in front makes it 16
Result<u64> parse_size(std::string_view text);
/// [from, to) of a text that is at least that long.
constexpr std::string_view part(std::string_view s, std::size_t from, std::size_t to) { return {s.data() + from, to - from}; }
/// Cuts off and returns what stands before the next `separator`; everything when there is none, and then what is left has no data().
std::string_view take(std::string_view& text, char separator);

} // namespace command_line
} // namespace tenon
