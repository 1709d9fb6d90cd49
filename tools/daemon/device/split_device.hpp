// SplitDevice: one device of a guest: its two folders in the store, and the states that the drivers at both
// ends announce there. This side starts them, waits for the backend driver, and takes them away again.
#pragma once

#include <tools/daemon/xenstore/batch.hpp>
#include <tools/daemon/xenstore/store_watch.hpp>

#include <map>

namespace tenon::tools {

class SplitDevice {
public:
    using Nodes = std::map<std::string, std::string>;

    /// `changed` is called when is_ready() or is_closed() may have become true.
    SplitDevice(Loop& loop, xenstore::Store& store, DomainId domain, std::string type, unsigned number, Loop::Function changed);
    virtual ~SplitDevice() = default;

    /// Writes the nodes; the backend driver finds them.
    void start();
    /// Tells the backend that the guest is gone. The frontend's folder goes at once.
    void close();
    /// Removes what is left in the store, whatever the backend says.
    void remove();

    bool is_ready() const { return ready_; }
    bool is_closed() const { return closed_; }
    /// Why the device will never be ready; empty if nothing is wrong.
    const std::string& failure() const { return failure_; }
    /// "vbd xvda"
    virtual std::string describe() const = 0;
    /// What the backend driver itself says went wrong; empty if nothing.
    std::string driver_error();
    /// The kernel module that should have answered.
    virtual std::string module() const = 0;

protected:
    /// Nodes beside those that every device has. May throw Error.
    virtual void prepare(Nodes& frontend, Nodes& backend) = 0;
    /// The backend waits for the frontend; true if this side has nothing more to do.
    virtual bool finish() { return true; }
    void check();

    Loop& loop_;
    xenstore::Store& store_;
    DomainId domain_;
    unsigned number_;
    std::string frontend_, backend_; ///< paths
    std::string failure_;

private:
    unsigned backend_state();
    std::string error_path() const; ///< where the backend driver complains

    std::string type_;
    Loop::Function changed_;
    std::unique_ptr<xenstore::StoreWatch> watch_;
    bool closing_ = false, ready_ = false, closed_ = false;
};

} // namespace tenon::tools
