// Parsing and taking apart of xenstore paths.
#include "path.hpp"

#include "store_error.hpp"

#include <algorithm>
#include <cctype>

namespace tenon::tools::xenstore {

namespace {

bool is_path_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '/' || c == '_' || c == '@'; }

} // namespace

std::string domain_path(DomainId domain) { return "/local/domain/" + std::to_string(domain); }

bool is_special(std::string_view text) { return text.starts_with('@'); }

Path Path::parse(std::string_view text, DomainId domain)
{
    if (text.empty() || is_special(text))
        throw StoreError(EINVAL);
    bool absolute = text.front() == '/';
    if (text.size() > (absolute ? absolute_path_max : relative_path_max))
        throw StoreError(EINVAL);
    if (!std::ranges::all_of(text, is_path_character) || text.find("//") != text.npos)
        throw StoreError(EINVAL);
    if (text.size() > 1 && text.back() == '/')
        throw StoreError(EINVAL);
    if (absolute)
        return Path(std::string(text));
    return Path(domain_path(domain) + "/" + std::string(text));
}

Path Path::parent() const
{
    auto slash = text_.rfind('/');
    return slash == 0 ? Path() : Path(text_.substr(0, slash));
}

std::string_view Path::name() const { return std::string_view(text_).substr(text_.rfind('/') + 1); }

std::vector<std::string_view> Path::components() const
{
    std::vector<std::string_view> parts;
    std::string_view rest = text_;
    rest.remove_prefix(1);
    while (!rest.empty()) {
        auto slash = std::min(rest.find('/'), rest.size());
        parts.push_back(rest.substr(0, slash));
        rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    return parts;
}

bool Path::is_within(const Path& other) const
{
    if (other.is_root() || text_ == other.text_)
        return true;
    return text_.size() > other.text_.size() && text_.starts_with(other.text_) && text_[other.text_.size()] == '/';
}

} // namespace tenon::tools::xenstore
