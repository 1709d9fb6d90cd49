// Dispatch, and the requests that concern nodes.
#include "service.hpp"

#include "request_words.hpp"

namespace tenon::tools::xenstore {

Service::Handler Service::handler_for(MessageType type)
{
    static const std::map<MessageType, Handler> table = {
        {MessageType::control, &Service::control},
        {MessageType::directory, &Service::directory},
        {MessageType::directory_part, &Service::directory_part},
        {MessageType::read, &Service::read},
        {MessageType::write, &Service::write},
        {MessageType::mkdir, &Service::mkdir},
        {MessageType::rm, &Service::rm},
        {MessageType::get_perms, &Service::get_perms},
        {MessageType::set_perms, &Service::set_perms},
        {MessageType::watch, &Service::watch},
        {MessageType::unwatch, &Service::unwatch},
        {MessageType::reset_watches, &Service::reset_watches},
        {MessageType::transaction_start, &Service::transaction_start},
        {MessageType::transaction_end, &Service::transaction_end},
        {MessageType::introduce, &Service::introduce},
        {MessageType::release, &Service::release},
        {MessageType::resume, &Service::resume},
        {MessageType::set_target, &Service::set_target},
        {MessageType::get_domain_path, &Service::get_domain_path},
        {MessageType::is_domain_introduced, &Service::is_domain_introduced},
    };
    auto found = table.find(type);
    if (found == table.end())
        throw StoreError(ENOSYS);
    return found->second;
}

bool Service::needs_write(MessageType type)
{
    switch (type) {
    case MessageType::write:
    case MessageType::mkdir:
    case MessageType::rm:
    case MessageType::set_perms:
    case MessageType::introduce:
    case MessageType::release:
    case MessageType::resume:
    case MessageType::set_target:
    case MessageType::control: return true;
    default: return false;
    }
}

void Service::handle(Client& client, const Message& request)
{
    const auto& header = request.header;
    Request r{client, request, terminated_strings(request.payload)};
    Message reply{{header.type, header.request, header.transaction, 0}, {}};
    bool ok = true;
    try {
        auto handler = handler_for(header.type);
        if (client.is_read_only() && needs_write(header.type))
            throw StoreError(EROFS);
        reply.payload = (this->*handler)(r);
        if (reply.payload.size() > payload_max)
            throw StoreError(E2BIG);
    } catch (const StoreError& error) {
        ok = false;
        reply.header.type = MessageType::error;
        reply.payload = std::string(error.what()) + '\0';
    }
    client.send(reply);
    store_.announce(r.changes);
    if (ok && header.type == MessageType::watch) // a new watch fires once, so that nothing is missed
        client.watch_event(r.words[0], r.words[1]);
}

void Service::forget(Client& client)
{
    store_.watches().remove_all(client);
    client.transactions.clear();
}

TreeAccess Service::access(Request& r)
{
    auto id = r.message.header.transaction;
    if (id == 0)
        return store_.access(r.client.caller(), r.changes);
    auto found = r.client.transactions.find(id);
    if (found == r.client.transactions.end())
        throw StoreError(ENOENT);
    return store_.access(r.client.caller(), found->second);
}

Path Service::path(Request& r) const
{
    need(r.words, 1);
    return Path::parse(r.words[0], r.client.caller().domain);
}

std::string Service::read(Request& r) { return access(r).read(path(r)); }

std::string Service::write(Request& r)
{
    auto target = path(r);
    access(r).write(target, r.message.payload.substr(r.words[0].size() + 1));
    return ok();
}

std::string Service::mkdir(Request& r)
{
    access(r).make(path(r));
    return ok();
}

std::string Service::rm(Request& r)
{
    access(r).remove(path(r));
    return ok();
}

std::string Service::directory(Request& r)
{
    std::string names;
    for (const auto& [name, child] : access(r).directory(path(r))->children)
        names += name + '\0';
    return names;
}

/// For lists that do not fit into one message: the generation, then the part from an offset on; an empty
/// name ends the list.
std::string Service::directory_part(Request& r)
{
    need(r.words, 2);
    auto offset = number<std::uint32_t>(r.words[1]);
    auto node = access(r).directory(path(r));
    auto reply = std::to_string(children_generation(*node)) + '\0';
    std::size_t position = 0;
    for (const auto& [name, child] : node->children) {
        auto here = position;
        position += name.size() + 1;
        if (here < offset)
            continue;
        if (reply.size() + name.size() + 1 > payload_max)
            return reply;
        reply += name + '\0';
    }
    if (reply.size() < payload_max)
        reply += '\0';
    return reply;
}

std::string Service::get_perms(Request& r)
{
    need(r.words, 1);
    if (is_special(r.words[0]))
        return store_.special_permissions(std::string(r.words[0])).format();
    return access(r).permissions(path(r)).format();
}

std::string Service::set_perms(Request& r)
{
    need(r.words, 2);
    auto permissions = Permissions::parse({r.words.begin() + 1, r.words.end()});
    if (is_special(r.words[0])) {
        need_privilege(r.client);
        store_.set_special_permissions(std::string(r.words[0]), permissions);
    } else {
        access(r).set_permissions(path(r), permissions);
    }
    return ok();
}

} // namespace tenon::tools::xenstore
