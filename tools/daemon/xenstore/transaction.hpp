// Transaction: a private copy of the tree, with a record of what was seen and done through it. It commits
// if the live tree is still the one that was copied, or if nothing that it saw has changed meanwhile; then
// what it did is done again on the live tree. So committed transactions are serialisable, and two that
// touch different nodes never get in each other's way.
#pragma once

#include "tree.hpp"

#include <functional>
#include <map>
#include <vector>

namespace tenon::tools::xenstore {

class TreeAccess;

/// One node that was changed, to tell watchers about.
struct Change {
    Path path;
    std::shared_ptr<const Node> removed; ///< what was there, if the change is a removal
};

/// Which parts of which nodes a transaction has looked at; absent nodes count, too.
class SeenLog {
public:
    enum class Part : unsigned { content = 1, children = 2 };

    void note(const Path& path, Part part) { seen_[path] |= static_cast<unsigned>(part); }
    bool is_unchanged(const Tree& then, const Tree& now) const;

private:
    std::map<Path, unsigned> seen_;
};

struct Transaction {
    explicit Transaction(const Tree& live) : base(live), tree(live) {}

    Tree base;
    Tree tree;
    SeenLog seen;
    std::vector<Change> changes;
    std::vector<std::function<void(TreeAccess&)>> operations;
};

} // namespace tenon::tools::xenstore
