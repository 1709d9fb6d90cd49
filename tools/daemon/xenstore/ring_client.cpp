// The two byte rings of a domain's store page.
#include "ring_client.hpp"

#include <algorithm>
#include <cstring>

namespace tenon::tools::xenstore {

namespace {

constexpr std::size_t output_pause = 64 * 1024; // a domain that does not read gets no further answers

std::uint32_t load(const std::uint32_t& shared) { return __atomic_load_n(&shared, __ATOMIC_ACQUIRE); }

void store(std::uint32_t& shared, std::uint32_t value) { __atomic_store_n(&shared, value, __ATOMIC_RELEASE); }

} // namespace

RingClient::RingClient(Service& service, Caller caller, xenstore_domain_interface& ring, std::function<void()> notify)
    : Client(caller), service_(service), ring_(ring), notify_(std::move(notify))
{
    store(ring_.server_features, XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
    store(ring_.connection, XENSTORE_CONNECTED);
}

RingClient::~RingClient() { service_.forget(*this); }

void RingClient::send(const Message& message)
{
    output_ += message.encode();
    if (write_replies())
        notify_();
}

void RingClient::watch_event(std::string_view path, std::string_view token)
{
    Service::send_event(*this, service_.store().limits, path, token);
}

void RingClient::fail(std::uint32_t error)
{
    failed_ = true;
    store(ring_.error, error);
    output_.clear();
    service_.forget(*this);
    notify_();
}

/// The domain has lost its state (it was resumed, or runs another kernel) and starts anew.
void RingClient::reconnect()
{
    service_.forget(*this);
    reader_ = {};
    output_.clear();
    failed_ = false;
    for (auto* index : {&ring_.req_cons, &ring_.req_prod, &ring_.rsp_cons, &ring_.rsp_prod})
        store(*index, 0);
    store(ring_.error, XENSTORE_ERROR_NONE);
    store(ring_.connection, XENSTORE_CONNECTED);
    notify_();
}

/// Copies what the domain has written; true if anything.
bool RingClient::read_requests()
{
    auto consumer = load(ring_.req_cons);
    auto available = load(ring_.req_prod) - consumer;
    if (available > XENSTORE_RING_SIZE) {
        fail(XENSTORE_ERROR_RINGIDX);
        return false;
    }
    if (available == 0)
        return false;
    auto offset = MASK_XENSTORE_IDX(consumer);
    auto first = std::min<std::uint32_t>(available, XENSTORE_RING_SIZE - offset);
    reader_.add({ring_.req + offset, first});
    reader_.add({ring_.req, available - first});
    store(ring_.req_cons, consumer + available);
    return true;
}

bool RingClient::write_replies()
{
    if (output_.empty() || failed_)
        return false;
    auto producer = load(ring_.rsp_prod);
    auto used = producer - load(ring_.rsp_cons);
    if (used > XENSTORE_RING_SIZE) {
        fail(XENSTORE_ERROR_RINGIDX);
        return false;
    }
    auto count = static_cast<std::uint32_t>(std::min<std::size_t>(XENSTORE_RING_SIZE - used, output_.size()));
    if (count == 0)
        return false;
    auto offset = MASK_XENSTORE_IDX(producer);
    auto first = std::min<std::uint32_t>(count, XENSTORE_RING_SIZE - offset);
    std::memcpy(ring_.rsp + offset, output_.data(), first);
    std::memcpy(ring_.rsp, output_.data() + first, count - first);
    store(ring_.rsp_prod, producer + count);
    output_.erase(0, count);
    return true;
}

bool RingClient::process()
{
    if (load(ring_.connection) == XENSTORE_RECONNECT)
        reconnect();
    if (failed_)
        return false;
    bool moved = write_replies();
    unsigned budget = 32; // messages per turn
    while (output_.size() < output_pause && !failed_) {
        bool read = read_requests();
        moved |= read;
        auto message = reader_.next();
        for (; message && budget != 0; --budget) {
            service_.handle(*this, *message);
            message = reader_.next();
        }
        if (message) { // out of budget: taken, so it must be answered, but is the last one
            service_.handle(*this, *message);
            break;
        }
        if (!read)
            break;
    }
    if (reader_.is_broken() && !failed_)
        fail(XENSTORE_ERROR_PROTO);
    if (moved && !failed_)
        notify_();
    return budget == 0 && !failed_;
}

} // namespace tenon::tools::xenstore
