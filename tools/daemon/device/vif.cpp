// The nodes of a network interface, and the bridge.
#include "vif.hpp"

#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace tenon::tools {

void Vif::prepare(Nodes& frontend, Nodes& backend)
{
    Nodes both{{"handle", std::to_string(number_)}, {"mac", config_.mac}};
    frontend.insert(both.begin(), both.end());
    backend.insert(both.begin(), both.end());
    backend.merge(Nodes{{"bridge", config_.bridge}, {"type", "vif"}});
    backend["script"] = "/bin/true"; // the driver insists on one, for udev rules that we do without
}

bool Vif::finish()
{
    try {
        if (plug_in(fmt::format("vif{}.{}", domain_, number_), config_.bridge)) {
            store_.write(backend_ + "/hotplug-status", "connected");
            return true;
        }
    } catch (const Error& error) {
        failure_ = error.what();
        store_.write(backend_ + "/hotplug-status", "error");
        store_.write(backend_ + "/hotplug-error", error.what());
        return false;
    }
    retry_ = std::make_unique<Loop::Timer>(loop_, std::chrono::milliseconds(20), [this] { check(); });
    return false;
}

bool plug_in(const std::string& interface, const std::string& bridge)
{
    auto index = ::if_nametoindex(interface.c_str());
    if (index == 0)
        return false;
    UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    auto name = [&](const std::string& text) {
        request = {};
        text.copy(request.ifr_name, IFNAMSIZ - 1);
    };
    auto bring_up = [&](const std::string& which) {
        name(which);
        if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) < 0)
            throw system_error(which);
        request.ifr_flags |= IFF_UP;
        if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0)
            throw system_error("bringing up " + which);
    };
    if (!bridge.empty()) {
        name(bridge);
        if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0) { // as large as the bridge allows
            auto mtu = request.ifr_mtu;
            name(interface);
            request.ifr_mtu = mtu;
            ::ioctl(socket.get(), SIOCSIFMTU, &request);
        }
        name(bridge);
        request.ifr_ifindex = static_cast<int>(index);
        if (::ioctl(socket.get(), SIOCBRADDIF, &request) < 0 && errno != EBUSY)
            throw system_error(fmt::format("adding {} to bridge {}", interface, bridge));
    }
    bring_up(interface);
    return true;
}

} // namespace tenon::tools
