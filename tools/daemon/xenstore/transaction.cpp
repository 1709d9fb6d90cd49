// Conflict detection.
#include "transaction.hpp"

#include <algorithm>

namespace tenon::tools::xenstore {

bool SeenLog::is_unchanged(const Tree& then, const Tree& now) const
{
    auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
    return std::ranges::all_of(seen_, [&](const auto& entry) {
        auto before = then.find(entry.first);
        auto after = now.find(entry.first);
        if (!before || !after)
            return before == after;
        if ((entry.second & static_cast<unsigned>(Part::content)) && before->content != after->content)
            return false;
        return !(entry.second & static_cast<unsigned>(Part::children)) || std::ranges::equal(before->children, after->children, same_name);
    });
}

} // namespace tenon::tools::xenstore
