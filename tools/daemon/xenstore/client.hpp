// Client: one connection to the store, whatever bytes it comes over: its rights, its open transactions,
// and the way replies and events go back.
#pragma once

#include "message.hpp"
#include "watch.hpp"

namespace tenon::tools::xenstore {

class Client : public WatchSink {
public:
    enum class Mode { read_write, read_only };

    explicit Client(Caller caller, Mode mode = Mode::read_write) : caller_(caller), mode_(mode) {}

    Caller caller() const override { return caller_; }
    void set_target(DomainId target) { caller_.target = target; }
    bool is_read_only() const { return mode_ == Mode::read_only; }

    virtual void send(const Message& message) = 0;
    /// Bytes sent and not yet taken.
    virtual std::size_t pending_bytes() const = 0;

    std::map<std::uint32_t, Transaction> transactions;
    std::uint32_t last_transaction = 0;

private:
    Caller caller_;
    Mode mode_;
};

} // namespace tenon::tools::xenstore
