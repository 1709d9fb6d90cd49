// Batch: several nodes that appear at once, so that no watcher sees half of them.
#pragma once

#include "store.hpp"

namespace tenon::tools::xenstore {

class Batch {
public:
    explicit Batch(Store& store) : store_(store), transaction_(store.begin()) {}

    Batch& write(const std::string& path, const std::string& value)
    {
        store_.access(Caller{}, transaction_).write(Path::parse(path, dom0_id), value);
        return *this;
    }
    Batch& write(const std::string& path, const std::string& value, const Permissions& permissions)
    {
        write(path, value);
        store_.access(Caller{}, transaction_).set_permissions(Path::parse(path, dom0_id), permissions);
        return *this;
    }
    void commit() { store_.announce(store_.commit(Caller{}, std::move(transaction_))); }

private:
    Store& store_;
    Transaction transaction_;
};

} // namespace tenon::tools::xenstore
