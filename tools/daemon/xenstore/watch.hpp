// WatchTable: who wants to hear about which path. A change is told to the watches on the path itself and on
// every ancestor; a removal also to those on nodes that went with it. A watcher hears only of nodes it may
// read.
#pragma once

#include "transaction.hpp"

#include <map>

namespace tenon::tools::xenstore {

class WatchSink {
public:
    virtual ~WatchSink() = default;
    virtual Caller caller() const = 0;
    /// `path` is spelt as in the watch: relative, if that was.
    virtual void watch_event(std::string_view path, std::string_view token) = 0;
};

class WatchTable {
public:
    /// `text` as the client wrote it, a path or a special name. Throws StoreError(EINVAL, EEXIST).
    void add(WatchSink& sink, const std::string& text, const std::string& token);
    /// Throws StoreError(ENOENT).
    void remove(WatchSink& sink, const std::string& text, const std::string& token);
    void remove_all(WatchSink& sink);
    unsigned count(const WatchSink& sink) const;

    void fire(const Change& change, const Tree& tree) const;
    void fire_special(const std::string& name, const Permissions& permissions) const;

private:
    struct Watch {
        WatchSink* sink;
        std::string token;
        std::size_t prefix; ///< characters of the absolute path that a relative watch does not see
    };

    /// The absolute path or special name, and the length of the prefix.
    static std::pair<std::string, std::size_t> resolve(const WatchSink& sink, const std::string& text);
    static void tell(const Watch& watch, std::string_view path);

    std::map<std::string, std::vector<Watch>, std::less<>> watches_;
};

} // namespace tenon::tools::xenstore
