// Who may do what to which node, and how much of it.
#include "tree_access.hpp"

#include "store_error.hpp"

namespace tenon::tools::xenstore {

void TreeAccess::see(const Path& path, Part part)
{
    if (transaction_)
        transaction_->seen.note(path, part);
}

void TreeAccess::done(Change change, std::function<void(TreeAccess&)> again)
{
    changes_.push_back(std::move(change));
    if (transaction_)
        transaction_->operations.push_back(std::move(again));
}

void TreeAccess::check_size(std::size_t bytes) const
{
    if (caller_.is_privileged())
        return;
    if (bytes > limits_.entry_size)
        throw StoreError(ENOSPC);
    if (transaction_ && transaction_->operations.size() >= limits_.transaction_ops)
        throw StoreError(ENOSPC);
}

/// The node, if it exists and the caller has the right. Whether a node exists is told only to those who
/// may read the place where it would be.
std::shared_ptr<const Node> TreeAccess::demand(const Path& path, Access wanted)
{
    see(path);
    if (auto node = tree_.find(path)) {
        if (!node->content->permissions.allow(caller_, wanted))
            throw StoreError(EACCES);
        return node;
    }
    auto [ancestor, node] = tree_.find_closest(path);
    see(ancestor);
    throw StoreError(node->content->permissions.allow(caller_, Access::read) ? ENOENT : EACCES);
}

std::string TreeAccess::read(const Path& path) { return demand(path, Access::read)->content->value; }

std::shared_ptr<const Node> TreeAccess::directory(const Path& path)
{
    auto node = demand(path, Access::read);
    see(path, Part::children);
    return node;
}

Permissions TreeAccess::permissions(const Path& path) { return demand(path, Access::read)->content->permissions; }

/// Makes the node and every missing ancestor. New nodes inherit the permissions of the one above, but
/// belong to the domain that makes them.
void TreeAccess::create(const Path& path, const std::string& value)
{
    auto [ancestor, node] = tree_.find_closest(path);
    see(ancestor);
    if (!node->content->permissions.allow(caller_, Access::write))
        throw StoreError(EACCES);
    auto permissions = node->content->permissions;
    if (!caller_.is_privileged())
        permissions.set_owner(caller_.domain);
    node.reset(); // a second reference would cost a copy

    std::vector<Path> missing;
    for (Path at = path; at != ancestor; at = at.parent())
        missing.push_back(at);
    if (!caller_.is_privileged() && tree_.nodes_owned_by(caller_.domain) + missing.size() > limits_.nodes)
        throw StoreError(ENOSPC);
    check_size(value.size() + permissions.size() * sizeof(Permission));

    for (; !missing.empty(); missing.pop_back()) {
        see(missing.back());
        tree_.add(missing.back(), {missing.size() == 1 ? value : std::string(), permissions});
    }
}

void TreeAccess::write(const Path& path, const std::string& value)
{
    see(path);
    if (auto node = tree_.find(path)) {
        const auto& permissions = node->content->permissions;
        if (!permissions.allow(caller_, Access::write))
            throw StoreError(EACCES);
        check_size(value.size() + permissions.size() * sizeof(Permission));
        tree_.set_content(path, {value, permissions});
    } else {
        create(path, value);
    }
    done({path, nullptr}, [path, value](TreeAccess& access) { access.write(path, value); });
}

void TreeAccess::make(const Path& path)
{
    see(path);
    if (auto node = tree_.find(path)) {
        if (!node->content->permissions.allow(caller_, Access::write))
            throw StoreError(EACCES);
        return;
    }
    create(path, "");
    done({path, nullptr}, [path](TreeAccess& access) { access.make(path); });
}

void TreeAccess::remove(const Path& path)
{
    if (path.is_root())
        throw StoreError(EINVAL);
    see(path);
    auto node = tree_.find(path);
    if (!node) {
        see(path.parent());
        if (!tree_.find(path.parent()))
            throw StoreError(ENOENT);
        return; // already as asked
    }
    if (!node->content->permissions.allow(caller_, Access::write))
        throw StoreError(EACCES);
    check_size(0);
    node.reset(); // a second reference would cost a copy
    auto removed = tree_.remove(path);
    done({path, std::move(removed)}, [path](TreeAccess& access) { access.remove(path); });
}

void TreeAccess::set_permissions(const Path& path, const Permissions& permissions)
{
    auto node = demand(path, Access::none);
    const auto& old = node->content->permissions;
    if (!old.is_owned_by(caller_))
        throw StoreError(EACCES);
    if (!caller_.is_privileged()) {
        if (permissions.owner() != old.owner())
            throw StoreError(EPERM);
        if (permissions.size() > limits_.permissions)
            throw StoreError(ENOSPC);
    }
    check_size(node->content->value.size() + permissions.size() * sizeof(Permission));
    tree_.set_content(path, {node->content->value, permissions});
    done({path, nullptr}, [path, permissions](TreeAccess& access) { access.set_permissions(path, permissions); });
}

} // namespace tenon::tools::xenstore
