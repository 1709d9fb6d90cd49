// ForeignMap: frames of another domain, mapped into this process for as long as the object lives.
#pragma once

#include "ids.hpp"

#include <span>

struct xenforeignmemory_handle;
struct xenforeignmemory_resource_handle;

namespace tenon::tools {

class ForeignMemory;

class ForeignMap {
public:
    ForeignMap(ForeignMemory& memory, DomainId domain, std::span<const Mfn> frames);
    ForeignMap(const ForeignMap&) = delete;
    ~ForeignMap();

    std::byte* data() const { return static_cast<std::byte*>(address_); }
    std::span<std::byte> bytes() const { return {data(), frames_ * page_size}; }

private:
    xenforeignmemory_handle* handle_;
    void* address_;
    std::size_t frames_;
};

/// The first frame of a domain's grant table.
class GrantTableMap {
public:
    GrantTableMap(ForeignMemory& memory, DomainId domain);
    GrantTableMap(const GrantTableMap&) = delete;
    ~GrantTableMap();

    /// Entry `ref` (version 1) lets `user` map `frame`.
    void permit(unsigned ref, DomainId user, Mfn frame);

private:
    xenforeignmemory_handle* handle_;
    void* address_ = nullptr; ///< before resource_, whose making fills it in
    xenforeignmemory_resource_handle* resource_;
};

class ForeignMemory {
public:
    ForeignMemory();
    ForeignMemory(const ForeignMemory&) = delete;
    ~ForeignMemory();

private:
    friend ForeignMap;
    friend GrantTableMap;

    xenforeignmemory_handle* handle_;
};

} // namespace tenon::tools
