// Command-line options register themselves beside their use: TENON_OPTION puts a record into a linker section that the parser
// walks. No code runs for it before the parser does.
#pragma once
#include <string_view>
#include <tenon/lib/result.hpp>
#include <tenon/lib/types.hpp>

namespace tenon {

struct Option {
    enum class Kind : u8 { flag, number, size, text, custom, meaningless };
    using Parser = bool (*)(std::string_view value); ///< false: malformed

    /// `name`, `no-name`, `name=on|off|yes|no|true|false|1|0|enable|disable`
    constexpr Option(const char* n, bool* target) : name(n), expects("on|off"), kind(Kind::flag), flag(target) {}
    /// decimal, or hexadecimal with 0x
    constexpr Option(const char* n, u32* target) : name(n), expects("number"), kind(Kind::number), number(target) {}
    /// a number of bytes with K, M, G or T behind it; bytes without one
    constexpr Option(const char* n, u64* target) : name(n), expects("size, as in 512M"), kind(Kind::size), size(target) {}
    /// the text lives as long as the hypervisor
    constexpr Option(const char* n, std::string_view* target) : name(n), expects("text"), kind(Kind::text), text(target) {}
    constexpr Option(const char* n, Parser p, const char* e) : name(n), expects(e), kind(Kind::custom), parser(p) {}
    /// accepted because people and boot scripts know it; says in one line why nothing follows from it
    static constexpr Option meaningless(const char* n, const char* why) { return Option(n, why); }

    const char* name;
    const char* expects; ///< shown when the value is malformed
    Kind kind;
    union {
        bool* flag;
        u32* number;
        u64* size;
        std::string_view* text;
        Parser parser;
    };

  private:
    constexpr Option(const char* n, const char* why) : name(n), expects(why), kind(Kind::meaningless), flag(nullptr) {}
};

#define TENON_OPTION_JOIN(a, b) a##b
/// At namespace scope, inside an anonymous namespace: TENON_OPTION("noreboot", &noreboot);
#define TENON_OPTION(...) TENON_OPTION_NAMED(__COUNTER__, __VA_ARGS__)
#define TENON_OPTION_NAMED(id, ...) TENON_OPTION_EXPANDED(id, __VA_ARGS__)
#define TENON_OPTION_EXPANDED(id, ...)                                                                                 \
    constinit Option TENON_OPTION_JOIN(option_, id){__VA_ARGS__};                                                      \
    [[gnu::section("tenon_options"), gnu::used]] constinit Option* TENON_OPTION_JOIN(option_record_, id) =             \
        &TENON_OPTION_JOIN(option_, id)

namespace command_line {

/// Parses the whole line. Unknown and malformed options are named in the log and change nothing.
void parse(const char* line);
/// What was parsed, for people: at most 2 KiB of the line.
const char* text();

/// Value parsers, also for custom options. They take all of `text` or fail.
Result<u64> parse_number(std::string_view text, unsigned base = 10); ///< 0x in front makes it 16
Result<u64> parse_size(std::string_view text);
Result<bool> parse_flag(std::string_view text);

} // namespace command_line
} // namespace tenon
