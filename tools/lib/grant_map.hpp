// GrantMap: one page that another domain has granted, mapped for as long as the object lives.
#pragma once

#include "ids.hpp"

struct xengntdev_handle;

namespace tenon::tools {

class GrantDevice {
public:
    GrantDevice();
    GrantDevice(const GrantDevice&) = delete;
    ~GrantDevice();

private:
    friend class GrantMap;
    xengntdev_handle* handle_;
};

class GrantMap {
public:
    GrantMap(GrantDevice& device, DomainId domain, unsigned reference);
    GrantMap(const GrantMap&) = delete;
    ~GrantMap();

    template <class T> T* as() const { return static_cast<T*>(address_); }

private:
    xengntdev_handle* handle_;
    void* address_;
};

} // namespace tenon::tools
