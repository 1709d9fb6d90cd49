// EventChannels: this process' event channels, and for each the function to call when an event comes in.
#pragma once

#include "ids.hpp"

#include <functional>
#include <map>

struct xenevtchn_handle;

namespace tenon::tools {

class EventChannels {
public:
    using Handler = std::function<void()>;

    EventChannels();
    EventChannels(const EventChannels&) = delete;
    ~EventChannels();

    /// Readable when dispatch() has something to do.
    int fd() const;
    void dispatch();

    EventPort bind_remote(DomainId domain, EventPort remote_port, Handler handler);
    EventPort bind_virq(unsigned virq, Handler handler);
    void unbind(EventPort port);
    void notify(EventPort port);

private:
    EventPort adopt(int port, Handler handler, const char* what);

    xenevtchn_handle* handle_;
    std::map<EventPort, Handler> handlers_;
};

/// A port that is unbound when the object goes.
class BoundPort {
public:
    BoundPort() = default;
    BoundPort(EventChannels& channels, EventPort port) : channels_(&channels), port_(port) {}
    BoundPort(const BoundPort&) = delete;
    BoundPort& operator=(BoundPort&& other) noexcept
    {
        std::swap(channels_, other.channels_);
        std::swap(port_, other.port_);
        return *this;
    }
    ~BoundPort()
    {
        if (channels_)
            channels_->unbind(port_);
    }

    void notify() const { channels_->notify(port_); }

private:
    EventChannels* channels_ = nullptr;
    EventPort port_ = 0;
};

} // namespace tenon::tools
