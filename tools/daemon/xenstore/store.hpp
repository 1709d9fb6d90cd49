// Store: the live tree, its watches and limits, and the rules by which transactions get into it. Knows
// nothing of sockets, rings or messages, so all of it runs in unit tests.
#pragma once

#include "tree_access.hpp"
#include "watch.hpp"

namespace tenon::tools::xenstore {

class Store {
public:
    Limits limits;

    Tree& tree() { return tree_; }
    WatchTable& watches() { return watches_; }

    /// Access to the live tree; what it changes must be announced afterwards.
    TreeAccess access(Caller caller, std::vector<Change>& changes) { return TreeAccess(tree_, limits, caller, changes); }
    TreeAccess access(Caller caller, Transaction& transaction) { return TreeAccess(transaction, limits, caller); }

    Transaction begin() const { return Transaction(tree_); }
    /// All or nothing; returns what changed. Throws StoreError(EAGAIN).
    std::vector<Change> commit(Caller caller, Transaction transaction);

    void announce(const std::vector<Change>& changes);
    void announce_special(const std::string& name);

    Permissions special_permissions(const std::string& name) const;
    void set_special_permissions(const std::string& name, Permissions permissions);

    // For the daemon's own use, with all rights. Paths are absolute.
    std::optional<std::string> read(const std::string& path);
    std::vector<std::string> list(const std::string& path);
    void write(const std::string& path, const std::string& value);
    void write(const std::string& path, const std::string& value, const Permissions& permissions);
    /// Whether or not it exists.
    void remove(const std::string& path);

private:
    Tree tree_;
    WatchTable watches_;
    std::map<std::string, Permissions> special_;
};

} // namespace tenon::tools::xenstore
