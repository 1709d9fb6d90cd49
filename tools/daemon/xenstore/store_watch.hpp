// StoreWatch: the daemon's own watch on a path. Its function is called from the loop a little later, once for
// any number of changes, so it may do anything, also to the store.
#pragma once

#include "store.hpp"
#include <tools/daemon/loop.hpp>

namespace tenon::tools::xenstore {

class StoreWatch : WatchSink {
public:
    StoreWatch(Loop& loop, Store& store, const std::string& path, Loop::Function function)
        : loop_(loop), store_(store), function_(std::move(function))
    {
        store_.watches().add(*this, path, "");
    }
    ~StoreWatch() override { store_.watches().remove_all(*this); }

private:
    Caller caller() const override { return {}; }
    void watch_event(std::string_view, std::string_view) override
    {
        soon_ = std::make_unique<Loop::Timer>(loop_, std::chrono::milliseconds(0), function_);
    }

    Loop& loop_;
    Store& store_;
    Loop::Function function_;
    std::unique_ptr<Loop::Timer> soon_;
};

} // namespace tenon::tools::xenstore
