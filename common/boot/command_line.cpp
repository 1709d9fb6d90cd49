// The command line: words of the form name, no-name or name=value, each matched against the registered options.
#include <tenon/boot/option.hpp>
#include <tenon/log.hpp>

extern "C" {
extern tenon::Option* __start_tenon_options[];
extern tenon::Option* __stop_tenon_options[];
}

namespace tenon::command_line {
namespace {

constexpr std::size_t max_length = 2048;
char line_copy[max_length]; // text options keep views of it

struct Word {
    std::string_view name, value;
    bool has_value;
};

Word split(std::string_view word)
{
    auto equals = word.find('=');
    if (equals == word.npos)
        return {word, {}, false};
    return {{word.data(), equals}, {word.data() + equals + 1, word.size() - equals - 1}, true};
}

constexpr std::string_view tail(std::string_view s, std::size_t from) { return {s.data() + from, s.size() - from}; }

bool set_flag(const Option& option, const Word& word, bool negated)
{
    bool on = true;
    if (word.has_value) {
        auto parsed = parse_flag(word.value);
        if (!parsed)
            return false;
        on = *parsed;
    }
    *option.flag = on != negated;
    return true;
}

/// False when the value is malformed.
bool apply(const Option& option, const Word& word)
{
    switch (option.kind) {
    case Option::Kind::flag:
        return set_flag(option, word, false);
    case Option::Kind::number: {
        auto n = parse_number(word.value);
        if (n && *n <= 0xffffffff)
            *option.number = u32(*n);
        return n && *n <= 0xffffffff;
    }
    case Option::Kind::size: {
        auto n = parse_size(word.value);
        if (n)
            *option.size = *n;
        return n.ok();
    }
    case Option::Kind::text:
        *option.text = word.value;
        return word.has_value;
    case Option::Kind::custom:
        return option.parser(word.value);
    case Option::Kind::meaningless:
        log_info("option %s has no meaning here: %s", option.name, option.expects);
        return true;
    }
    return false;
}

const Option* find(std::string_view name)
{
    for (Option** o = __start_tenon_options; o != __stop_tenon_options; o++)
        if (name == (*o)->name)
            return *o;
    return nullptr;
}

void parse_word(std::string_view text)
{
    Word word = split(text);
    const Option* option = find(word.name);
    bool ok;
    if (option) {
        ok = apply(*option, word);
    } else if (word.name.starts_with("no-") && (option = find(tail(word.name, 3))) && option->kind == Option::Kind::flag) {
        ok = set_flag(*option, word, true);
    } else {
        log_warning("unknown option: %.*s", int(text.size()), text.data());
        return;
    }
    if (!ok)
        log_warning("malformed option: %.*s (expected: %s=%s)", int(text.size()), text.data(), option->name, option->expects);
}

} // namespace

Result<u64> parse_number(std::string_view text, unsigned base)
{
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text = tail(text, 2);
    }
    if (text.empty())
        return Error::inval;
    u64 value = 0;
    for (char c : text) {
        char lower = char(c | 0x20);
        unsigned digit = c >= '0' && c <= '9' ? unsigned(c - '0') : lower >= 'a' && lower <= 'f' ? unsigned(lower - 'a') + 10 : 99;
        if (digit >= base || __builtin_mul_overflow(value, u64(base), &value) || __builtin_add_overflow(value, u64(digit), &value))
            return Error::inval;
    }
    return value;
}

Result<u64> parse_size(std::string_view text)
{
    unsigned shift = 0;
    if (!text.empty())
        switch (text.back() | 0x20) {
        case 'k': shift = 10; break;
        case 'm': shift = 20; break;
        case 'g': shift = 30; break;
        case 't': shift = 40; break;
        }
    u64 value = TRY(parse_number(shift ? std::string_view(text.data(), text.size() - 1) : text));
    if (value << shift >> shift != value)
        return Error::inval;
    return value << shift;
}

Result<bool> parse_flag(std::string_view text)
{
    for (auto yes : {"on", "yes", "true", "1", "enable"})
        if (text == yes)
            return true;
    for (auto no : {"off", "no", "false", "0", "disable"})
        if (text == no)
            return false;
    return Error::inval;
}

void parse(const char* line)
{
    std::size_t n = 0;
    while (n + 1 < max_length && line[n]) {
        line_copy[n] = line[n];
        n++;
    }
    line_copy[n] = 0;
    if (line[n])
        log_warning("the command line is longer than %lu characters: the rest is ignored", max_length - 1);

    auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    for (std::size_t i = 0; i < n;) {
        if (is_space(line_copy[i])) {
            i++;
            continue;
        }
        std::size_t start = i;
        while (i < n && !is_space(line_copy[i]))
            i++;
        parse_word({line_copy + start, i - start});
    }
}

const char* text() { return line_copy; }

} // namespace tenon::command_line
