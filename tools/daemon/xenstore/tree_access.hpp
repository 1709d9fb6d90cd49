// TreeAccess: the requests on nodes, for one caller, with every check of permissions and limits, on the live
// tree or in a transaction. Each throws StoreError and then has changed nothing.
#pragma once

#include "limits.hpp"
#include "transaction.hpp"

namespace tenon::tools::xenstore {

class TreeAccess {
public:
    TreeAccess(Tree& tree, const Limits& limits, Caller caller, std::vector<Change>& changes)
        : tree_(tree), limits_(limits), caller_(caller), changes_(changes)
    {}
    TreeAccess(Transaction& transaction, const Limits& limits, Caller caller)
        : tree_(transaction.tree), limits_(limits), caller_(caller), changes_(transaction.changes), transaction_(&transaction)
    {}

    std::string read(const Path& path);
    std::shared_ptr<const Node> directory(const Path& path);
    Permissions permissions(const Path& path);

    void write(const Path& path, const std::string& value);
    void make(const Path& path);
    void remove(const Path& path);
    void set_permissions(const Path& path, const Permissions& permissions);

private:
    using Part = SeenLog::Part;

    void see(const Path& path, Part part = Part::content);
    std::shared_ptr<const Node> demand(const Path& path, Access wanted);
    void create(const Path& path, const std::string& value);
    void done(Change change, std::function<void(TreeAccess&)> again);
    void check_size(std::size_t bytes) const;

    Tree& tree_;
    const Limits& limits_;
    Caller caller_;
    std::vector<Change>& changes_;
    Transaction* transaction_ = nullptr;
};

} // namespace tenon::tools::xenstore
