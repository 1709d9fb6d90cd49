// The copy-on-write tree. Single-threaded, so a use count of one means that nobody else can see a node.
#include "tree.hpp"

namespace tenon::tools::xenstore {

Tree::Tree() : root_(std::make_shared<Node>()) { root_->content = std::make_shared<Content>(); }

std::shared_ptr<const Node> Tree::find(const Path& path) const
{
    std::shared_ptr<const Node> node = root_;
    for (auto name : path.components()) {
        auto child = node->children.find(name);
        if (child == node->children.end())
            return nullptr;
        node = child->second;
    }
    return node;
}

std::pair<Path, std::shared_ptr<const Node>> Tree::find_closest(const Path& path) const
{
    Path at = path;
    while (true) {
        if (auto node = find(at))
            return {at, node};
        at = at.parent();
    }
}

Node& Tree::unshare(const Path& path)
{
    auto own = [](std::shared_ptr<Node>& node) -> Node* {
        if (node.use_count() > 1)
            node = std::make_shared<Node>(*node); // shares the children, which so become shared in turn
        return node.get();
    };
    Node* node = own(root_);
    for (auto name : path.components())
        node = own(node->children.find(name)->second);
    return *node;
}

void Tree::count(const Node& node, int sign)
{
    auto owner = node.content->permissions.owner();
    if (owner == dom0_id)
        return;
    auto& number = owned_[owner];
    number += static_cast<unsigned>(sign);
    if (number == 0)
        owned_.erase(owner);
}

void Tree::set_content(const Path& path, Content content)
{
    Node& node = unshare(path);
    count(node, -1);
    node.content = std::make_shared<const Content>(std::move(content));
    count(node, +1);
}

void Tree::add(const Path& path, Content content)
{
    auto node = std::make_shared<Node>();
    node->content = std::make_shared<const Content>(std::move(content));
    count(*node, +1);
    unshare(path.parent()).children.emplace(path.name(), std::move(node));
}

std::shared_ptr<const Node> Tree::remove(const Path& path)
{
    auto& siblings = unshare(path.parent()).children;
    auto at = siblings.find(path.name());
    std::shared_ptr<const Node> removed = at->second;
    siblings.erase(at);
    auto forget = [this](auto& self, const Node& node) -> void {
        count(node, -1);
        for (const auto& [name, child] : node.children)
            self(self, *child);
    };
    forget(forget, *removed);
    return removed;
}

unsigned Tree::nodes_owned_by(DomainId domain) const
{
    auto found = owned_.find(domain);
    return found == owned_.end() ? 0 : found->second;
}

std::uint64_t children_generation(const Node& node)
{
    std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a over the names, each with its NUL
    for (const auto& [name, child] : node.children)
        for (std::size_t i = 0; i <= name.size(); ++i)
            hash = (hash ^ static_cast<unsigned char>(name.c_str()[i])) * 0x100000001b3;
    return hash;
}

} // namespace tenon::tools::xenstore
