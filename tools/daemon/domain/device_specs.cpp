// The items of the lists `disk` and `vif`.
#include "config.hpp"

#include <algorithm>
#include <charconv>
#include <sys/random.h>

namespace tenon::tools {

namespace {

std::string trimmed(std::string_view text)
{
    auto first = text.find_first_not_of(" \t");
    if (first == text.npos)
        return "";
    return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::vector<std::string> split(std::string_view text)
{
    std::vector<std::string> parts;
    while (true) {
        auto comma = text.find(',');
        parts.push_back(trimmed(text.substr(0, comma)));
        if (comma == text.npos)
            return parts;
        text.remove_prefix(comma + 1);
    }
}

void set_access(DiskConfig& disk, const std::string& word)
{
    if (word == "w" || word == "rw")
        disk.writable = true;
    else if (word == "r" || word == "ro")
        disk.writable = false;
    else
        throw Error(fmt::format("unknown access '{}' (w, rw, r or ro)", word));
}

void set_format(const std::string& word)
{
    if (!word.empty() && word != "raw")
        throw Error(fmt::format("unknown format '{}' (only raw is supported)", word));
}

void set_name(DiskConfig& disk, std::string word)
{
    if (auto colon = word.find(':'); colon != word.npos) { // "hdc:cdrom"
        disk.cdrom = word.substr(colon + 1) == "cdrom";
        word.resize(colon);
    }
    disk.name = word;
    disk.virtual_device = virtual_device_number(word);
}

/// One "key=value"; true if it was one.
bool set_disk_key(DiskConfig& disk, const std::string& part)
{
    auto equals = part.find('=');
    auto key = part.substr(0, equals);
    if (part == "devtype=cdrom" || part == "cdrom") {
        disk.cdrom = true;
        disk.writable = false;
        return true;
    }
    if (equals == part.npos)
        return false;
    auto value = trimmed(std::string_view(part).substr(equals + 1));
    if (key == "target")
        disk.target = value;
    else if (key == "vdev")
        set_name(disk, value);
    else if (key == "access")
        set_access(disk, value);
    else if (key == "format")
        set_format(value);
    else if (key != "backendtype" && key != "devtype")
        return false;
    return true;
}

} // namespace

DiskConfig parse_disk(const std::string& spec)
{
    DiskConfig disk{.target = "", .name = "", .virtual_device = 0};
    std::vector<std::string> positional;
    for (const auto& part : split(spec)) {
        bool known = set_disk_key(disk, part);
        if (known)
            continue;
        if (part.find('=') != part.npos && !part.starts_with('/') && part.find(':') == part.npos)
            throw Error(fmt::format("unknown key '{}'", part.substr(0, part.find('='))));
        positional.push_back(part);
    }
    if (!positional.empty()) {
        auto& target = positional.front();
        bool old_form = false; // phy:TARGET,NAME,ACCESS has no format in it
        for (std::string_view prefix : {"phy:", "file:", "raw:"})
            if (target.starts_with(prefix)) {
                target.erase(0, prefix.size());
                old_form = true;
            }
        disk.target = target;
        std::size_t next = 1;
        if (!old_form && positional.size() > next)
            set_format(positional[next++]);
        if (positional.size() > next)
            set_name(disk, positional[next++]);
        if (positional.size() > next)
            set_access(disk, positional[next++]);
        if (positional.size() > next)
            throw Error(fmt::format("what is '{}' for?", positional[next]));
    }
    if (disk.target.empty())
        throw Error("no target: which file or block device?");
    if (disk.name.empty())
        throw Error("no name for the guest (such as xvda)");
    return disk;
}

unsigned virtual_device_number(const std::string& name)
{
    auto fail = [&] { return Error(fmt::format("'{}' is no disk name (xvda, xvdb1, sda, hda ...)", name)); };
    auto kind = std::string_view(name).substr(0, name.starts_with("xvd") ? 3 : 2);
    auto rest = std::string_view(name).substr(kind.size());
    if ((kind != "xvd" && kind != "sd" && kind != "hd") || rest.empty())
        throw fail();
    unsigned disk = 0;
    std::size_t letters = 0;
    for (; letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z'; ++letters)
        disk = disk * 26 + static_cast<unsigned>(rest[letters] - 'a') + 1;
    if (letters == 0 || letters > 2)
        throw fail();
    --disk;
    rest.remove_prefix(letters);
    unsigned partition = 0;
    if (!rest.empty()) {
        auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), partition);
        if (error != std::errc{} || stop != rest.data() + rest.size() || partition == 0 || partition > 255)
            throw fail();
    }
    // The numbers are the Linux majors of old, and an extended form for what they have no room for.
    if (kind == "xvd")
        return disk < 16 && partition < 16 ? 202u << 8 | disk << 4 | partition : 1u << 28 | disk << 8 | partition;
    if (kind == "sd" && disk < 16 && partition < 16)
        return 8u << 8 | disk << 4 | partition;
    if (kind == "hd" && disk < 4 && partition < 64)
        return (disk < 2 ? 3u : 22u) << 8 | (disk & 1) << 6 | partition;
    throw fail();
}

VifConfig parse_vif(const std::string& spec)
{
    VifConfig vif;
    for (const auto& part : split(spec)) {
        if (part.empty())
            continue;
        auto equals = part.find('=');
        auto key = part.substr(0, equals);
        auto value = equals == part.npos ? "" : trimmed(std::string_view(part).substr(equals + 1));
        if (key == "mac") {
            auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
            bool good = value.size() == 17;
            for (std::size_t i = 0; good && i < value.size(); ++i)
                good = i % 3 == 2 ? value[i] == ':' : hex(value[i]);
            if (!good)
                throw Error(fmt::format("'{}' is no MAC address (00:16:3e:xx:xx:xx)", value));
            if (std::stoul(value.substr(0, 2), nullptr, 16) & 1)
                throw Error(fmt::format("'{}' is a multicast address", value));
            vif.mac = value;
        } else if (key == "bridge") {
            if (value.empty() || value.size() > 15)
                throw Error(fmt::format("'{}' is no bridge name", value));
            vif.bridge = value;
        } else if (key != "type" && key != "model" && key != "script" && key != "ip") {
            throw Error(fmt::format("unknown key '{}' (mac, bridge)", key));
        }
    }
    if (vif.mac.empty()) {
        std::uint8_t tail[3];
        if (::getrandom(tail, sizeof tail, 0) != sizeof tail)
            throw system_error("asking for random numbers");
        vif.mac = fmt::format("00:16:3e:{:02x}:{:02x}:{:02x}", tail[0] & 0x7f, tail[1], tail[2]);
    }
    return vif;
}

} // namespace tenon::tools
