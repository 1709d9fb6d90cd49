// Small checks on the words of a request, shared by the service's parts.
#pragma once

#include "client.hpp"
#include "store_error.hpp"

#include <charconv>

namespace tenon::tools::xenstore {

inline std::string ok() { return std::string("OK", 3); }

inline void need(const std::vector<std::string_view>& words, std::size_t count)
{
    if (words.size() < count)
        throw StoreError(EINVAL);
}

inline void need_privilege(const Client& client)
{
    if (!client.caller().is_privileged())
        throw StoreError(EACCES);
}

template <class T> T number(std::string_view text)
{
    T value{};
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size())
        throw StoreError(EINVAL);
    return value;
}

inline DomainId domain_number(std::string_view text)
{
    auto id = number<std::uint32_t>(text);
    if (id >= first_reserved_domain)
        throw StoreError(EINVAL);
    return static_cast<DomainId>(id);
}

} // namespace tenon::tools::xenstore
