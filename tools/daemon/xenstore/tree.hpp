// Tree: the nodes of xenstore as a value. Copying one is cheap: copies share nodes, and a change unshares
// just the nodes on the way to it. A transaction is therefore a copy, and a snapshot never changes.
//
// Permissions are stored here, but judged by TreeAccess.
#pragma once

#include "path.hpp"
#include "permissions.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace tenon::tools::xenstore {

/// Replaced as a whole by every change: two equal pointers are the same, unchanged content.
struct Content {
    std::string value;
    Permissions permissions;
};

struct Node {
    std::shared_ptr<const Content> content;
    std::map<std::string, std::shared_ptr<Node>, std::less<>> children;

    /// Bytes that the node counts against its owner's entry-size limit.
    std::size_t size() const { return content->value.size() + content->permissions.size() * sizeof(Permission); }
};

class Tree {
public:
    Tree();

    std::shared_ptr<const Node> find(const Path& path) const;
    /// The node, or the closest ancestor that exists.
    std::pair<Path, std::shared_ptr<const Node>> find_closest(const Path& path) const;

    /// `path` must exist.
    void set_content(const Path& path, Content content);
    /// The parent must exist, `path` must not.
    void add(const Path& path, Content content);
    /// Takes the node and all below it away; `path` must exist and not be the root.
    std::shared_ptr<const Node> remove(const Path& path);

    unsigned nodes_owned_by(DomainId domain) const;
    bool is_same_as(const Tree& other) const { return root_ == other.root_; }

private:
    Node& unshare(const Path& path);
    void count(const Node& node, int sign);

    std::shared_ptr<Node> root_;
    std::map<DomainId, unsigned> owned_; ///< unprivileged owners only
};

/// A number that changes whenever the list of children does: the generation of DIRECTORY_PART.
std::uint64_t children_generation(const Node& node);

} // namespace tenon::tools::xenstore
