// Permissions of a node: the first entry names the owner and what everyone else may do, each further entry
// what one domain may do. The control domain and the owner may do everything.
#pragma once

#include <tools/lib/ids.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::tools::xenstore {

enum class Access : unsigned { none = 0, read = 1, write = 2, both = 3 };

constexpr bool includes(Access granted, Access wanted)
{
    return (static_cast<unsigned>(granted) & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
}

/// Who asks. A stub domain also acts for its target.
struct Caller {
    DomainId domain = dom0_id;
    std::optional<DomainId> target = {};

    bool is_privileged() const { return domain == dom0_id; }
    bool is(DomainId id) const { return domain == id || target == id; }
};

struct Permission {
    DomainId domain = dom0_id;
    Access access = Access::none;

    friend bool operator==(const Permission&, const Permission&) = default;
};

class Permissions {
public:
    /// Owned by the control domain, closed to others.
    Permissions() : entries_{Permission{}} {}
    /// At least one entry.
    explicit Permissions(std::vector<Permission> entries) : entries_(std::move(entries)) {}

    /// From "n0", "r5"...; throws StoreError(EINVAL).
    static Permissions parse(const std::vector<std::string_view>& words);
    /// Each entry followed by NUL, as on the wire.
    std::string format() const;

    DomainId owner() const { return entries_.front().domain; }
    void set_owner(DomainId domain) { entries_.front().domain = domain; }
    std::size_t size() const { return entries_.size(); }
    bool allow(const Caller& caller, Access wanted) const;
    bool is_owned_by(const Caller& caller) const { return caller.is_privileged() || caller.is(owner()); }

    friend bool operator==(const Permissions&, const Permissions&) = default;

private:
    std::vector<Permission> entries_;
};

} // namespace tenon::tools::xenstore
