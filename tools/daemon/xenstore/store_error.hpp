// StoreError: a request that xenstore refuses, as the errno whose name goes to the client.
#pragma once

#include <cerrno>
#include <exception>

namespace tenon::tools::xenstore {

class StoreError : public std::exception {
public:
    explicit StoreError(int number) : number_(number) {}

    int number() const { return number_; }
    const char* what() const noexcept override { return error_name(number_); }

    /// The protocol's spelling; it knows sixteen errors [xs_wire.h], all else is EINVAL.
    static const char* error_name(int number)
    {
        switch (number) {
        case EACCES: return "EACCES";
        case EEXIST: return "EEXIST";
        case EISDIR: return "EISDIR";
        case ENOENT: return "ENOENT";
        case ENOMEM: return "ENOMEM";
        case ENOSPC: return "ENOSPC";
        case EIO: return "EIO";
        case ENOTEMPTY: return "ENOTEMPTY";
        case ENOSYS: return "ENOSYS";
        case EROFS: return "EROFS";
        case EBUSY: return "EBUSY";
        case EAGAIN: return "EAGAIN";
        case EISCONN: return "EISCONN";
        case E2BIG: return "E2BIG";
        case EPERM: return "EPERM";
        default: return "EINVAL";
        }
    }

private:
    int number_;
};

} // namespace tenon::tools::xenstore
