// Commits, announcements and the daemon's own access.
#include "store.hpp"

#include "store_error.hpp"

#include <set>

namespace tenon::tools::xenstore {

std::vector<Change> Store::commit(Caller caller, Transaction transaction)
{
    if (tree_.is_same_as(transaction.base)) {
        tree_ = std::move(transaction.tree);
        return std::move(transaction.changes);
    }
    if (!transaction.seen.is_unchanged(transaction.base, tree_))
        throw StoreError(EAGAIN);
    Tree next = tree_;
    std::vector<Change> changes;
    TreeAccess access(next, limits, caller, changes);
    try {
        for (const auto& again : transaction.operations)
            again(access);
    } catch (const StoreError&) {
        throw StoreError(EAGAIN); // only a limit, reached by others meanwhile, can fail here
    }
    tree_ = std::move(next);
    return changes;
}

void Store::announce(const std::vector<Change>& changes)
{
    std::set<std::pair<Path, bool>> told;
    for (const auto& change : changes)
        if (told.emplace(change.path, change.removed != nullptr).second)
            watches_.fire(change, tree_);
}

void Store::announce_special(const std::string& name) { watches_.fire_special(name, special_permissions(name)); }

Permissions Store::special_permissions(const std::string& name) const
{
    auto found = special_.find(name);
    return found == special_.end() ? Permissions() : found->second;
}

void Store::set_special_permissions(const std::string& name, Permissions permissions)
{
    if (name != "@introduceDomain" && name != "@releaseDomain")
        throw StoreError(EINVAL);
    special_[name] = std::move(permissions);
}

std::optional<std::string> Store::read(const std::string& path)
{
    auto node = tree_.find(Path::parse(path, dom0_id));
    return node ? std::optional(node->content->value) : std::nullopt;
}

std::vector<std::string> Store::list(const std::string& path)
{
    std::vector<std::string> names;
    if (auto node = tree_.find(Path::parse(path, dom0_id)))
        for (const auto& [name, child] : node->children)
            names.push_back(name);
    return names;
}

void Store::write(const std::string& path, const std::string& value)
{
    std::vector<Change> changes;
    access(Caller{}, changes).write(Path::parse(path, dom0_id), value);
    announce(changes);
}

void Store::write(const std::string& path, const std::string& value, const Permissions& permissions)
{
    std::vector<Change> changes;
    auto direct = access(Caller{}, changes);
    direct.write(Path::parse(path, dom0_id), value);
    direct.set_permissions(Path::parse(path, dom0_id), permissions);
    announce(changes);
}

void Store::remove(const std::string& path)
{
    std::vector<Change> changes;
    auto parsed = Path::parse(path, dom0_id);
    if (tree_.find(parsed))
        access(Caller{}, changes).remove(parsed);
    announce(changes);
}

} // namespace tenon::tools::xenstore
