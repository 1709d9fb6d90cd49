// The command line: words of the form name, no-name or name=value, each matched against the known options.
#include <tenon/boot/option.hpp>
#include <tenon/log.hpp>

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
    return {part(word, 0, equals), part(word, equals + 1, word.size()), true};
}

Result<bool> parse_flag(const Word& word)
{
    for (auto yes : {"on", "yes", "true", "1", "enable"})
        if (!word.has_value || word.value == yes)
            return true;
    for (auto no : {"off", "no", "false", "0", "disable"})
        if (word.value == no)
            return false;
    return Error::inval;
}

/// False when the value is malformed; then nothing changes.
bool apply(const Option& option, const Word& word, bool negated)
{
    if (option.flag) {
        auto on = parse_flag(word);
        if (on)
            *option.flag = *on != negated;
        return on.ok();
    }
    if (option.number) {
        auto number = parse_number(word.value);
        if (!number || *number > ~u32{0})
            return false;
        *option.number = u32(*number);
    } else if (option.text) {
        if (!word.has_value)
            return false;
        *option.text = word.value;
    } else if (option.parser) {
        return option.parser(word.value);
    } else {
        log_info("option %.*s has no meaning here: %s", int(option.name.size()), option.name.data(), option.expects);
    }
    return true;
}

const Option* find(std::string_view name)
{
    for (const Option& option : known_options)
        if (option.name == name)
            return &option;
    return nullptr;
}

void parse_word(std::string_view text)
{
    Word word = split(text);
    const Option* option = find(word.name);
    bool negated = !option && word.name.starts_with("no-");
    if (negated && (option = find(part(word.name, 3, word.name.size()))) && !option->flag)
        option = nullptr;
    if (!option)
        log_warning("unknown option: %.*s", int(text.size()), text.data());
    else if (!apply(*option, word, negated))
        log_warning("malformed option: %.*s (expected: %.*s=%s)", int(text.size()), text.data(), int(option->name.size()),
                    option->name.data(), option->expects);
}

} // namespace

Result<u64> parse_number(std::string_view text, unsigned base)
{
    u64 value = 0;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    }
    if (text.empty())
        return Error::inval;
    for (char c : text) {
        char lower = char(c | 0x20);
        u64 digit = c >= '0' && c <= '9' ? u64(c - '0') : lower >= 'a' && lower <= 'f' ? u64(lower - 'a') + 10 : 99;
        if (digit >= base || __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            return Error::inval;
    }
    return value;
}

Result<u64> parse_size(std::string_view text)
{
    constexpr std::string_view units = "kmgt";
    auto unit = text.empty() ? units.npos : units.find(char(text.back() | 0x20));
    if (unit == units.npos)
        return parse_number(text);
    u64 shift = 10 * (unit + 1), value = TRY(parse_number(part(text, 0, text.size() - 1)));
    return value << shift >> shift == value ? Result(value << shift) : Error::inval;
}

void parse(const char* line)
{
    auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    std::size_t n = 0, start = 0;
    for (; n + 1 < max_length && line[n]; n++)
        line_copy[n] = line[n];
    line_copy[n] = 0;
    if (line[n])
        log_warning("the command line is longer than %lu characters: the rest is ignored", max_length - 1);
    for (std::size_t i = 0; i <= n; i++)
        if (i == n || is_space(line_copy[i])) {
            if (start < i)
                parse_word({line_copy + start, i - start});
            start = i + 1;
        }
}

const char* text() { return line_copy; }

} // namespace tenon::command_line
