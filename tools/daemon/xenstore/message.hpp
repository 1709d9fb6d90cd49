// Messages of the xenstore wire protocol: a header of four 32-bit words, then up to 4096 bytes. Spelling of
// the types as in the public header [xs_wire.h].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::tools::xenstore {

enum class MessageType : std::uint32_t {
    control,
    directory,
    read,
    get_perms,
    watch,
    unwatch,
    transaction_start,
    transaction_end,
    introduce,
    release,
    get_domain_path,
    write,
    mkdir,
    rm,
    set_perms,
    watch_event,
    error,
    is_domain_introduced,
    resume,
    set_target,
    reset_watches = 21,
    directory_part = 22,
};

struct Header {
    MessageType type;
    std::uint32_t request;
    std::uint32_t transaction;
    std::uint32_t length;
};
static_assert(sizeof(Header) == 16);

constexpr std::size_t payload_max = 4096;

struct Message {
    Header header;
    std::string payload;

    /// Header and payload as bytes.
    std::string encode() const
    {
        Header copy = header;
        copy.length = static_cast<std::uint32_t>(payload.size());
        return std::string(reinterpret_cast<const char*>(&copy), sizeof copy) + payload;
    }
};

/// The NUL-terminated strings at the start of a payload; what follows the last NUL is not in the list.
inline std::vector<std::string_view> terminated_strings(std::string_view payload)
{
    std::vector<std::string_view> strings;
    for (auto end = payload.find('\0'); end != payload.npos; end = payload.find('\0')) {
        strings.push_back(payload.substr(0, end));
        payload.remove_prefix(end + 1);
    }
    return strings;
}

} // namespace tenon::tools::xenstore
