// ConfigText: the syntax of a guest's configuration file, the one that people know from xl: lines of
// `key = value`, where a value is a number, a quoted string, or a list of strings in square brackets that may
// go over several lines; '#' starts a comment. What the keys mean is the business of DomainConfig.
#pragma once

#include <tools/lib/error.hpp>

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tenon::tools {

struct ConfigValue {
    unsigned line;
    std::variant<long, std::string, std::vector<std::string>> value;
};

class ConfigText {
public:
    /// `name` is for messages. Throws Error "name:line: ...".
    static ConfigText parse(std::string_view text, std::string name);

    const std::map<std::string, ConfigValue>& values() const { return values_; }
    const ConfigValue* find(const std::string& key) const;

    // Typed access; each throws an Error that names line and key if the value has another type.
    std::string text(const std::string& key, std::string otherwise = "") const;
    long number(const std::string& key, long otherwise, long least, long most) const;
    std::vector<std::string> list(const std::string& key) const;

    /// "guest.cfg:12: memory: ..."
    Error error(const std::string& key, const std::string& what) const;

private:
    std::string name_;
    std::map<std::string, ConfigValue> values_;
};

} // namespace tenon::tools
