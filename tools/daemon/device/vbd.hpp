// Vbd: a guest's disk, served by xen-blkback.
#pragma once

#include "block_backend.hpp"
#include "split_device.hpp"
#include <tools/daemon/domain/config.hpp>

namespace tenon::tools {

class Vbd : public SplitDevice {
public:
    Vbd(Loop& loop, xenstore::Store& store, DomainId domain, const DiskConfig& config, Loop::Function changed)
        : SplitDevice(loop, store, domain, "vbd", config.virtual_device, std::move(changed)), config_(config),
          block_(config.target, config.writable)
    {}

    std::string describe() const override { return "disk " + config_.name; }
    std::string module() const override { return "xen-blkback"; }

protected:
    void prepare(Nodes& frontend, Nodes& backend) override;

private:
    DiskConfig config_;
    BlockBackend block_;
};

} // namespace tenon::tools
