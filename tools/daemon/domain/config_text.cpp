// The parser: one pass over the characters, counting lines.
#include "config_text.hpp"

#include <cctype>
#include <charconv>

namespace tenon::tools {

namespace {

class Scanner {
public:
    Scanner(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

    unsigned line() const { return line_; }
    bool at_end() const { return rest_.empty(); }
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

    char take()
    {
        char c = rest_.front();
        rest_.remove_prefix(1);
        line_ += c == '\n';
        return c;
    }

    /// Blanks and comments; line ends too, if asked.
    void skip(bool line_ends)
    {
        while (!at_end()) {
            if (peek() == '#')
                while (!at_end() && peek() != '\n')
                    take();
            else if (peek() == ' ' || peek() == '\t' || peek() == '\r' || (line_ends && (peek() == '\n' || peek() == ';')))
                take();
            else
                return;
        }
    }

    std::string_view word()
    {
        auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
        std::size_t length = 0;
        while (length < rest_.size() && is_word(rest_[length]))
            ++length;
        auto found = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return found;
    }

    std::string quoted()
    {
        char quote = take();
        std::string text;
        while (peek() != quote || at_end()) {
            if (at_end() || peek() == '\n')
                fail("a string lacks its closing quote");
            if (peek() == '\\' && rest_.size() > 1 && (rest_[1] == quote || rest_[1] == '\\'))
                take();
            text += take();
        }
        take();
        return text;
    }

    [[noreturn]] void fail(const std::string& what) const { throw Error(fmt::format("{}:{}: {}", name_, line_, what)); }

private:
    std::string_view rest_;
    const std::string& name_;
    unsigned line_ = 1;
};

std::vector<std::string> parse_list(Scanner& in)
{
    std::vector<std::string> items;
    in.take();
    for (in.skip(true); in.peek() != ']'; in.skip(true)) {
        if (in.at_end())
            in.fail("a list lacks its closing bracket");
        if (in.peek() != '\'' && in.peek() != '"')
            in.fail("a list holds strings in quotes only");
        items.push_back(in.quoted());
        in.skip(true);
        if (in.peek() == ',')
            in.take();
        else if (in.peek() != ']')
            in.fail("expected ',' or ']' in a list");
    }
    in.take();
    return items;
}

long parse_number(Scanner& in, const std::string& key)
{
    auto word = in.word();
    bool hex = word.starts_with("0x");
    auto digits = hex ? word.substr(2) : word;
    long value = 0;
    auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    if (digits.empty() || error != std::errc{} || stop != digits.data() + digits.size())
        in.fail(fmt::format("{}: expected a number, a string in quotes, or a list", key));
    return value;
}

} // namespace

ConfigText ConfigText::parse(std::string_view text, std::string name)
{
    ConfigText result;
    result.name_ = std::move(name);
    Scanner in(text, result.name_);
    for (in.skip(true); !in.at_end(); in.skip(true)) {
        auto line = in.line();
        std::string key(in.word());
        if (key.empty())
            in.fail(fmt::format("unexpected '{}'; a line reads key = value", in.peek()));
        in.skip(false);
        if (in.peek() != '=')
            in.fail(fmt::format("{}: expected '=' after the key", key));
        in.take();
        in.skip(false);
        ConfigValue value{line, 0L};
        if (in.peek() == '[')
            value.value = parse_list(in);
        else if (in.peek() == '\'' || in.peek() == '"')
            value.value = in.quoted();
        else
            value.value = parse_number(in, key);
        in.skip(false);
        if (!in.at_end() && in.peek() != '\n' && in.peek() != ';')
            in.fail(fmt::format("{}: unexpected '{}' after the value", key, in.peek()));
        if (!result.values_.emplace(key, std::move(value)).second)
            in.fail(fmt::format("{}: given twice", key));
    }
    return result;
}

const ConfigValue* ConfigText::find(const std::string& key) const
{
    auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
}

Error ConfigText::error(const std::string& key, const std::string& what) const
{
    if (auto value = find(key))
        return Error(fmt::format("{}:{}: {}: {}", name_, value->line, key, what));
    return Error(fmt::format("{}: {}: {}", name_, key, what));
}

std::string ConfigText::text(const std::string& key, std::string otherwise) const
{
    auto value = find(key);
    if (!value)
        return otherwise;
    if (auto text = std::get_if<std::string>(&value->value))
        return *text;
    throw error(key, "expected a string in quotes");
}

long ConfigText::number(const std::string& key, long otherwise, long least, long most) const
{
    auto value = find(key);
    if (!value)
        return otherwise;
    long number = 0;
    if (auto direct = std::get_if<long>(&value->value)) {
        number = *direct;
    } else {
        auto text = std::get_if<std::string>(&value->value);
        auto end = text ? text->data() + text->size() : nullptr;
        if (!text || std::from_chars(text->data(), end, number).ptr != end || text->empty())
            throw error(key, "expected a number");
    }
    if (number < least || number > most)
        throw error(key, fmt::format("{} is out of range ({} to {})", number, least, most));
    return number;
}

std::vector<std::string> ConfigText::list(const std::string& key) const
{
    auto value = find(key);
    if (!value)
        return {};
    if (auto list = std::get_if<std::vector<std::string>>(&value->value))
        return *list;
    throw error(key, "expected a list, as in [ 'one', 'two' ]");
}

} // namespace tenon::tools
