// The nodes of a disk.
#include "vbd.hpp"

namespace tenon::tools {

void Vbd::prepare(Nodes& frontend, Nodes& backend)
{
    auto type = config_.cdrom ? "cdrom" : "disk";
    frontend.merge(Nodes{{"virtual-device", std::to_string(number_)}, {"device-type", type}});
    backend.merge(Nodes{{"params", config_.target},
                        {"type", "phy"},
                        {"dev", config_.name},
                        {"mode", config_.writable ? "w" : "r"},
                        {"device-type", type},
                        {"bootable", "1"},
                        {"removable", "0"},
                        {"physical-device-path", block_.path()},
                        {"physical-device", fmt::format("{:x}:{:x}", block_.major_number(), block_.minor_number())}});
}

} // namespace tenon::tools
