// The requests that concern watches, transactions and domains.
#include "service.hpp"

#include "request_words.hpp"

#include <fmt/format.h>

namespace tenon::tools::xenstore {

void Service::send_event(Client& client, const Limits& limits, std::string_view path, std::string_view token)
{
    if (client.pending_bytes() > limits.pending_bytes)
        return;
    std::string payload;
    payload.append(path).push_back('\0');
    payload.append(token).push_back('\0');
    client.send({{MessageType::watch_event, 0, 0, 0}, std::move(payload)});
}

std::string Service::watch(Request& r)
{
    need(r.words, 2);
    auto caller = r.client.caller();
    if (r.words[0].size() + r.words[1].size() + 2 > relative_path_max + 1024)
        throw StoreError(EINVAL);
    if (!caller.is_privileged() && store_.watches().count(r.client) >= store_.limits.watches)
        throw StoreError(E2BIG);
    store_.watches().add(r.client, std::string(r.words[0]), std::string(r.words[1]));
    return ok();
}

std::string Service::unwatch(Request& r)
{
    need(r.words, 2);
    store_.watches().remove(r.client, std::string(r.words[0]), std::string(r.words[1]));
    return ok();
}

std::string Service::reset_watches(Request& r)
{
    forget(r.client);
    return ok();
}

std::string Service::transaction_start(Request& r)
{
    auto& open = r.client.transactions;
    if (r.message.header.transaction != 0)
        throw StoreError(EBUSY); // they do not nest
    if (!r.client.caller().is_privileged() && open.size() >= store_.limits.transactions)
        throw StoreError(ENOSPC);
    auto& id = r.client.last_transaction;
    do
        ++id;
    while (id == 0 || open.contains(id));
    open.emplace(id, store_.begin());
    return std::to_string(id) + '\0';
}

std::string Service::transaction_end(Request& r)
{
    need(r.words, 1);
    auto& open = r.client.transactions;
    auto found = open.find(r.message.header.transaction);
    if (found == open.end())
        throw StoreError(ENOENT);
    if (r.words[0] != "T" && r.words[0] != "F")
        throw StoreError(EINVAL);
    auto transaction = std::move(found->second);
    open.erase(found);
    if (r.words[0] == "T")
        r.changes = store_.commit(r.client.caller(), std::move(transaction));
    return ok();
}

std::string Service::introduce(Request& r)
{
    need_privilege(r.client);
    need(r.words, 3);
    domains_.introduce(domain_number(r.words[0]), number<std::uint64_t>(r.words[1]), number<EventPort>(r.words[2]));
    return ok();
}

std::string Service::release(Request& r)
{
    need_privilege(r.client);
    need(r.words, 1);
    domains_.release(domain_number(r.words[0]));
    return ok();
}

std::string Service::resume(Request& r)
{
    need_privilege(r.client);
    need(r.words, 1);
    if (!domains_.is_introduced(domain_number(r.words[0])))
        throw StoreError(ENOENT);
    return ok();
}

std::string Service::set_target(Request& r)
{
    need_privilege(r.client);
    need(r.words, 2);
    domains_.set_target(domain_number(r.words[0]), domain_number(r.words[1]));
    return ok();
}

std::string Service::get_domain_path(Request& r)
{
    need(r.words, 1);
    return domain_path(domain_number(r.words[0])) + '\0';
}

std::string Service::is_domain_introduced(Request& r)
{
    need(r.words, 1);
    auto domain = domain_number(r.words[0]);
    return std::string(domain == dom0_id || domains_.is_introduced(domain) ? "T" : "F", 2);
}

/// "help", "check", "quota" and "quota set NAME NUMBER".
std::string Service::control(Request& r)
{
    need_privilege(r.client);
    need(r.words, 1);
    auto& limits = store_.limits;
    std::map<std::string_view, unsigned*> by_name = {
        {"nodes", &limits.nodes}, {"watches", &limits.watches}, {"transactions", &limits.transactions}};
    if (r.words[0] == "help")
        return std::string("check\nhelp\nquota [set <name> <number>]\n") + '\0';
    if (r.words[0] == "check")
        return ok();
    if (r.words[0] != "quota")
        throw StoreError(EINVAL);
    if (r.words.size() >= 4 && r.words[1] == "set") {
        auto found = by_name.find(r.words[2]);
        if (found == by_name.end())
            throw StoreError(EINVAL);
        *found->second = number<unsigned>(r.words[3]);
        return ok();
    }
    std::string text;
    for (auto [name, value] : by_name)
        text += fmt::format("{}: {}\n", name, *value);
    return text + '\0';
}

} // namespace tenon::tools::xenstore
