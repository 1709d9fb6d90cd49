// Path: an absolute xenstore path that is known to be well formed, so nothing behind it checks again.
// Rules: letters, digits, '-', '/', '_' and '@'; no empty component, no trailing slash; a relative path
// starts at the caller's /local/domain/N. Names such as "@releaseDomain" are no paths, only events to watch.
#pragma once

#include <tools/lib/ids.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::tools::xenstore {

constexpr std::size_t absolute_path_max = 3072; ///< [xs_wire.h]
constexpr std::size_t relative_path_max = 2048;

std::string domain_path(DomainId domain);

class Path {
public:
    /// The root.
    Path() : text_("/") {}

    /// What a caller of `domain` means by `text`; throws StoreError(EINVAL).
    static Path parse(std::string_view text, DomainId domain);

    const std::string& text() const { return text_; }
    bool is_root() const { return text_.size() == 1; }
    Path parent() const;
    std::string_view name() const;
    std::vector<std::string_view> components() const;

    /// Is this path `other` or below it?
    bool is_within(const Path& other) const;

    friend bool operator==(const Path&, const Path&) = default;
    friend auto operator<=>(const Path&, const Path&) = default;

private:
    explicit Path(std::string text) : text_(std::move(text)) {}

    std::string text_;
};

/// Is `text` the name of a special event?
bool is_special(std::string_view text);

} // namespace tenon::tools::xenstore
