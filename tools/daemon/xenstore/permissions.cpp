// Reading, writing and judging of permission lists.
#include "permissions.hpp"

#include "store_error.hpp"

#include <charconv>

namespace tenon::tools::xenstore {

namespace {

constexpr std::string_view letters = "nrwb"; // position is the Access value

} // namespace

Permissions Permissions::parse(const std::vector<std::string_view>& words)
{
    std::vector<Permission> entries;
    for (auto word : words) {
        auto access = word.empty() ? letters.npos : letters.find(word.front());
        unsigned id = 0;
        auto end = word.data() + word.size();
        if (access == letters.npos || word.size() < 2)
            throw StoreError(EINVAL);
        auto [stop, error] = std::from_chars(word.data() + 1, end, id);
        if (error != std::errc{} || stop != end || id >= first_reserved_domain)
            throw StoreError(EINVAL);
        entries.push_back({static_cast<DomainId>(id), static_cast<Access>(access)});
    }
    if (entries.empty())
        throw StoreError(EINVAL);
    return Permissions(std::move(entries));
}

std::string Permissions::format() const
{
    std::string text;
    for (const auto& entry : entries_) {
        text += letters[static_cast<unsigned>(entry.access)];
        text += std::to_string(entry.domain);
        text += '\0';
    }
    return text;
}

bool Permissions::allow(const Caller& caller, Access wanted) const
{
    if (is_owned_by(caller))
        return true;
    for (std::size_t i = 1; i < entries_.size(); ++i)
        if (caller.is(entries_[i].domain))
            return includes(entries_[i].access, wanted);
    return includes(entries_.front().access, wanted);
}

} // namespace tenon::tools::xenstore
