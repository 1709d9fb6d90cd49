// The states of a device's backend, as the tool side sees them.
#include "split_device.hpp"

#include <charconv>
#include <fmt/format.h>
#include <xen/io/xenbus.h>

namespace tenon::tools {

using xenstore::Permissions;

SplitDevice::SplitDevice(Loop& loop, xenstore::Store& store, DomainId domain, std::string type, unsigned number, Loop::Function changed)
    : loop_(loop), store_(store), domain_(domain), number_(number),
      frontend_(fmt::format("/local/domain/{}/device/{}/{}", domain, type, number)),
      backend_(fmt::format("/local/domain/0/backend/{}/{}/{}", type, domain, number)), type_(std::move(type)), changed_(std::move(changed))
{}

void SplitDevice::start()
{
    auto initialising = std::to_string(XenbusStateInitialising);
    Nodes front{{"backend", backend_}, {"backend-id", "0"}, {"state", initialising}};
    Nodes back{{"frontend", frontend_}, {"frontend-id", std::to_string(domain_)}, {"online", "1"}, {"state", initialising}};
    prepare(front, back);
    xenstore::Batch batch(store_);
    batch.write(frontend_, "", Permissions({{domain_, xenstore::Access::none}, {dom0_id, xenstore::Access::read}}));
    batch.write(backend_, "", Permissions({{dom0_id, xenstore::Access::none}, {domain_, xenstore::Access::read}}));
    for (const auto& [name, value] : front)
        batch.write(frontend_ + "/" + name, value);
    for (const auto& [name, value] : back)
        batch.write(backend_ + "/" + name, value);
    watch_ = std::make_unique<xenstore::StoreWatch>(loop_, store_, backend_ + "/state", [this] { check(); });
    batch.commit();
}

unsigned SplitDevice::backend_state()
{
    unsigned state = XenbusStateUnknown;
    if (auto text = store_.read(backend_ + "/state"))
        std::from_chars(text->data(), text->data() + text->size(), state);
    return state;
}

std::string SplitDevice::error_path() const { return fmt::format("/local/domain/0/error/backend/{}/{}", type_, domain_); }

std::string SplitDevice::driver_error() { return store_.read(fmt::format("{}/{}/error", error_path(), number_)).value_or(""); }

void SplitDevice::check()
{
    auto state = backend_state();
    if (closing_)
        closed_ = closed_ || state == XenbusStateClosed || state == XenbusStateUnknown;
    else if (!ready_ && state >= XenbusStateInitWait && state <= XenbusStateConnected)
        ready_ = finish();
    if (closing_ ? closed_ : ready_ || !failure_.empty())
        changed_();
}

void SplitDevice::close()
{
    if (closing_)
        return;
    closing_ = true;
    auto state = backend_state();
    closed_ = state <= XenbusStateInitialising || state == XenbusStateClosed; // no driver, or done with it
    if (!closed_) {
        xenstore::Batch(store_).write(backend_ + "/online", "0").write(backend_ + "/state", std::to_string(XenbusStateClosing)).commit();
    }
    store_.remove(frontend_);
}

void SplitDevice::remove()
{
    watch_.reset();
    store_.remove(frontend_);
    store_.remove(backend_);
    store_.remove(error_path());
    std::string errors = "/local/domain/0/error";
    for (auto parent : {fmt::format("/local/domain/0/backend/{}/{}", type_, domain_), fmt::format("/local/domain/0/backend/{}", type_),
                        fmt::format("{}/backend/{}", errors, type_), errors + "/backend", errors})
        if (store_.list(parent).empty())
            store_.remove(parent);
}

} // namespace tenon::tools
