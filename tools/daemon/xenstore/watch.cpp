// Matching of changes and watches.
#include "watch.hpp"

#include "store_error.hpp"

#include <algorithm>

namespace tenon::tools::xenstore {

std::pair<std::string, std::size_t> WatchTable::resolve(const WatchSink& sink, const std::string& text)
{
    if (is_special(text)) {
        if (text.size() > relative_path_max)
            throw StoreError(EINVAL);
        return {text, 0};
    }
    auto domain = sink.caller().domain;
    auto path = Path::parse(text, domain);
    return {path.text(), text.starts_with('/') ? 0 : domain_path(domain).size() + 1};
}

void WatchTable::add(WatchSink& sink, const std::string& text, const std::string& token)
{
    auto [key, prefix] = resolve(sink, text);
    auto& here = watches_[key];
    auto same = [&](const Watch& w) { return w.sink == &sink && w.token == token && w.prefix == prefix; };
    if (std::ranges::any_of(here, same))
        throw StoreError(EEXIST);
    here.push_back({&sink, token, prefix});
}

void WatchTable::remove(WatchSink& sink, const std::string& text, const std::string& token)
{
    auto [key, prefix] = resolve(sink, text);
    auto here = watches_.find(key);
    auto same = [&](const Watch& w) { return w.sink == &sink && w.token == token && w.prefix == prefix; };
    if (here == watches_.end() || std::erase_if(here->second, same) == 0)
        throw StoreError(ENOENT);
    if (here->second.empty())
        watches_.erase(here);
}

void WatchTable::remove_all(WatchSink& sink)
{
    for (auto& [key, here] : watches_)
        std::erase_if(here, [&](const Watch& w) { return w.sink == &sink; });
    std::erase_if(watches_, [](const auto& entry) { return entry.second.empty(); });
}

unsigned WatchTable::count(const WatchSink& sink) const
{
    unsigned number = 0;
    for (const auto& [key, here] : watches_)
        number += static_cast<unsigned>(std::ranges::count_if(here, [&](const Watch& w) { return w.sink == &sink; }));
    return number;
}

void WatchTable::tell(const Watch& watch, std::string_view path)
{
    watch.sink->watch_event(path.substr(std::min(watch.prefix, path.size())), watch.token);
}

void WatchTable::fire(const Change& change, const Tree& tree) const
{
    auto node = change.removed ? change.removed : tree.find(change.path);
    auto tell_all = [this](const std::string& key, const Node* about, const std::string& path) {
        auto here = watches_.find(key);
        if (here == watches_.end())
            return;
        for (const auto& watch : here->second)
            if (!about || about->content->permissions.allow(watch.sink->caller(), Access::read))
                tell(watch, path);
    };

    for (Path at = change.path;; at = at.parent()) {
        tell_all(at.text(), node.get(), change.path.text());
        if (at.is_root())
            break;
    }
    if (!change.removed)
        return;
    auto prefix = change.path.text() + "/";
    for (auto at = watches_.lower_bound(prefix); at != watches_.end() && at->first.starts_with(prefix); ++at) {
        const Node* gone = change.removed.get();
        auto rest = Path::parse("/" + at->first.substr(prefix.size()), dom0_id);
        for (auto name : rest.components()) {
            auto child = gone->children.find(name);
            gone = child == gone->children.end() ? nullptr : child->second.get();
            if (!gone)
                break;
        }
        if (gone)
            tell_all(at->first, gone, at->first);
    }
}

void WatchTable::fire_special(const std::string& name, const Permissions& permissions) const
{
    auto here = watches_.find(name);
    if (here == watches_.end())
        return;
    for (const auto& watch : here->second)
        if (permissions.allow(watch.sink->caller(), Access::read))
            tell(watch, name);
}

} // namespace tenon::tools::xenstore
