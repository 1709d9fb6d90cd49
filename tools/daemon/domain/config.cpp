// From keys and values to a DomainConfig.
#include "config.hpp"

#include <algorithm>
#include <set>
#include <sys/random.h>

namespace tenon::tools {

namespace {

EndAction end_action(const ConfigText& text, const std::string& key, EndAction otherwise)
{
    auto word = text.text(key);
    if (word.empty())
        return otherwise;
    if (word == "destroy")
        return EndAction::destroy;
    if (word == "restart")
        return EndAction::restart;
    if (word == "preserve")
        return EndAction::preserve;
    throw text.error(key, fmt::format("'{}' is not one of destroy, restart, preserve", word));
}

void check_name(const ConfigText& text, const std::string& name)
{
    auto good = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("-_.+", c); };
    if (name.empty())
        throw text.error("name", "is missing");
    if (name.size() > 64 || !std::ranges::all_of(name, good) || name.starts_with('.') || name == "Domain-0")
        throw text.error("name", fmt::format("'{}' is no good name: at most 64 letters, digits, - _ . +", name));
    if (std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c); }))
        throw text.error("name", "must not be a number: those stand for domain ids");
}

std::string command_line(const ConfigText& text)
{
    auto line = text.text("cmdline");
    if (text.find("cmdline") && (text.find("root") || text.find("extra")))
        throw text.error("cmdline", "excludes root and extra");
    if (auto root = text.text("root"); !root.empty())
        line = "root=" + root;
    if (auto extra = text.text("extra"); !extra.empty())
        line += (line.empty() ? "" : " ") + extra;
    if (line.size() > 1023)
        throw text.error("extra", "the kernel's command line is longer than 1023 characters");
    return line;
}

/// Each item of a list, with errors that name line, key and position.
template <class T, class Parse> std::vector<T> parse_items(const ConfigText& text, const std::string& key, Parse parse)
{
    std::vector<T> items;
    for (const auto& spec : text.list(key)) {
        try {
            items.push_back(parse(spec));
        } catch (const Error& error) {
            throw text.error(key, fmt::format("item {}: {}", items.size() + 1, error.what()));
        }
    }
    return items;
}

} // namespace

DomainConfig DomainConfig::parse(std::string_view raw, const std::string& file_name, const std::string& directory)
{
    auto text = ConfigText::parse(raw, file_name);
    static const std::set<std::string> known = {"name",     "uuid", "memory",  "maxmem", "vcpus", "kernel",      "ramdisk",
                                                "cmdline",  "root", "extra",   "disk",   "vif",   "on_poweroff", "on_reboot",
                                                "on_crash", "type", "builder", "weight", "cap"};
    DomainConfig config;
    for (const auto& [key, value] : text.values())
        if (!known.contains(key))
            config.warnings.push_back(text.error(key, "not known, ignored").what());
    for (const auto* key : {"type", "builder"})
        if (auto type = text.text(key, "pv"); type != "pv" && type != "generic" && type != "linux")
            throw text.error(key, fmt::format("'{}' guests are not supported, only 'pv'", type));

    config.name = text.text("name");
    check_name(text, config.name);
    try {
        config.uuid = text.find("uuid") ? parse_uuid(text.text("uuid")) : random_uuid();
    } catch (const Error& error) {
        throw text.error("uuid", error.what());
    }
    if (!text.find("memory"))
        throw text.error("memory", "is missing");
    config.memory_mib = static_cast<unsigned>(text.number("memory", 0, 4, 1 << 20));
    config.max_memory_mib = static_cast<unsigned>(text.number("maxmem", config.memory_mib, config.memory_mib, 1 << 20));
    config.vcpus = static_cast<unsigned>(text.number("vcpus", 1, 1, 128));
    config.cpu_share = {static_cast<std::uint16_t>(text.number("weight", 256, 1, 65535)),
                        static_cast<std::uint16_t>(text.number("cap", 0, 0, 100 * config.vcpus))};
    config.kernel = text.text("kernel");
    if (config.kernel.empty())
        throw text.error("kernel", "is missing");
    config.ramdisk = text.text("ramdisk");
    config.command_line = tools::command_line(text);
    config.disks = parse_items<DiskConfig>(text, "disk", parse_disk);
    config.vifs = parse_items<VifConfig>(text, "vif", parse_vif);
    config.on_poweroff = end_action(text, "on_poweroff", EndAction::destroy);
    config.on_reboot = end_action(text, "on_reboot", EndAction::restart);
    config.on_crash = end_action(text, "on_crash", EndAction::destroy);

    auto make_absolute = [&](std::string& path) {
        if (!path.empty() && path.front() != '/')
            path = directory + "/" + path;
    };
    make_absolute(config.kernel);
    make_absolute(config.ramdisk);
    std::set<unsigned> numbers;
    for (auto& disk : config.disks) {
        make_absolute(disk.target);
        if (!numbers.insert(disk.virtual_device).second)
            throw text.error("disk", fmt::format("'{}' is used twice", disk.name));
    }
    return config;
}

Uuid random_uuid()
{
    Uuid uuid;
    if (::getrandom(uuid.data(), uuid.size(), 0) != static_cast<ssize_t>(uuid.size()))
        throw system_error("asking for random numbers");
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x40); // version 4, random
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
    return uuid;
}

Uuid parse_uuid(const std::string& text)
{
    std::string digits;
    for (char c : text)
        if (std::isxdigit(static_cast<unsigned char>(c)))
            digits += c;
    Uuid uuid;
    for (std::size_t i = 0; digits.size() == 32 && i < uuid.size(); ++i)
        uuid[i] = static_cast<std::uint8_t>(std::stoul(digits.substr(i * 2, 2), nullptr, 16));
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (digits.size() != 32 || format_uuid(uuid) != lower)
        throw Error(fmt::format("'{}' is no UUID", text));
    return uuid;
}

std::string format_uuid(const Uuid& uuid)
{
    std::string text;
    for (std::size_t i = 0; i < uuid.size(); ++i)
        text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
    return text;
}

} // namespace tenon::tools
