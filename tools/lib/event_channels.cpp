// Event channels, by libxenevtchn.
#include "event_channels.hpp"

#include "error.hpp"

#include <fcntl.h>
#include <poll.h>

extern "C" { // the header does not say so itself
#include <xenevtchn.h>
}

namespace tenon::tools {

EventChannels::EventChannels() : handle_(xenevtchn_open(nullptr, 0))
{
    if (!handle_)
        throw system_error("opening /dev/xen/evtchn (is the module xen-evtchn loaded?)");
}

EventChannels::~EventChannels() { xenevtchn_close(handle_); }

int EventChannels::fd() const { return xenevtchn_fd(handle_); }

void EventChannels::dispatch()
{
    pollfd ready{fd(), POLLIN, 0};
    while (::poll(&ready, 1, 0) > 0) {
        auto port = xenevtchn_pending(handle_);
        if (port < 0)
            return;
        xenevtchn_unmask(handle_, static_cast<EventPort>(port));
        auto found = handlers_.find(static_cast<EventPort>(port));
        if (found == handlers_.end())
            continue;
        auto handler = found->second; // a copy: the handler may unbind its own port
        handler();
    }
}

EventPort EventChannels::adopt(int port, Handler handler, const char* what)
{
    if (port < 0)
        throw system_error(what);
    handlers_[static_cast<EventPort>(port)] = std::move(handler);
    return static_cast<EventPort>(port);
}

EventPort EventChannels::bind_remote(DomainId domain, EventPort remote_port, Handler handler)
{
    return adopt(xenevtchn_bind_interdomain(handle_, domain, remote_port), std::move(handler), "binding an event channel");
}

EventPort EventChannels::bind_virq(unsigned virq, Handler handler)
{
    return adopt(xenevtchn_bind_virq(handle_, virq), std::move(handler), "binding a virtual interrupt");
}

void EventChannels::unbind(EventPort port)
{
    handlers_.erase(port);
    xenevtchn_unbind(handle_, port);
}

void EventChannels::notify(EventPort port) { xenevtchn_notify(handle_, port); }

} // namespace tenon::tools
