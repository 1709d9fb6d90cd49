// Vif: a guest's network interface, served by xen-netback. The backend makes an interface vifN.M here and
// waits until it is told that this side has plugged it in.
#pragma once

#include "split_device.hpp"
#include <tools/daemon/domain/config.hpp>

namespace tenon::tools {

class Vif : public SplitDevice {
public:
    Vif(Loop& loop, xenstore::Store& store, DomainId domain, unsigned number, const VifConfig& config, Loop::Function changed)
        : SplitDevice(loop, store, domain, "vif", number, std::move(changed)), config_(config)
    {}

    std::string describe() const override { return fmt::format("interface vif{}.{}", domain_, number_); }
    std::string module() const override { return "xen-netback"; }

protected:
    void prepare(Nodes& frontend, Nodes& backend) override;
    bool finish() override;

private:
    VifConfig config_;
    std::unique_ptr<Loop::Timer> retry_;
};

/// Adds an interface to a bridge (if that has a name) and brings it up. False if there is no such interface
/// (yet); throws Error for anything else.
bool plug_in(const std::string& interface, const std::string& bridge);

} // namespace tenon::tools
