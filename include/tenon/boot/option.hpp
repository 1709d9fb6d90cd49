// Command-line options: a table of names and where each value goes (common/boot/known_options.cpp), and the parser of the line.
#pragma once
#include <span>
#include <string_view>
#include <tenon/lib/types.hpp>
#include <tenon/result.hpp>

namespace tenon {

/// One of the targets is given, and says how the value is written; without any, people and boot scripts know the name, but it means
/// nothing here, and `expects` says why.
struct Option {
    std::string_view name;
    const char* expects;                              ///< shown when the value is malformed
    bool* flag = nullptr;                             ///< `name`, `no-name`, `name=on|off|yes|no|true|false|1|0|enable|disable`
    u32* number = nullptr;                            ///< decimal, or hexadecimal with 0x
    std::string_view* text = nullptr;                 ///< lives as long as the hypervisor
    bool (*parser)(std::string_view value) = nullptr; ///< false: malformed
};
extern const std::span<const Option> known_options;

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

} // namespace command_line
} // namespace tenon
