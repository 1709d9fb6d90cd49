// Listening Unix sockets.
#include "listener.hpp"

#include <tools/lib/error.hpp>

#include <filesystem>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace tenon::tools {

namespace {

UniqueFd listen_at(const std::string& path, unsigned mode)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw Error(fmt::format("{}: too long for a socket", path));
    path.copy(address.sun_path, path.size());
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    ::unlink(path.c_str());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    auto old_mask = ::umask(0777 & ~mode); // right from the first moment
    bool bound = fd && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::umask(old_mask);
    if (!bound || ::listen(fd.get(), 64) < 0)
        throw system_error(path);
    return fd;
}

} // namespace

Listener::Listener(Loop& loop, const std::string& path, unsigned mode, Accept accept)
    : path_(path), fd_(listen_at(path, mode)), accept_(std::move(accept)),
      source_(loop, fd_.get(), EPOLLIN, [this](std::uint32_t) { accept_all(); })
{}

Listener::Listener(Loop& loop, UniqueFd fd, Accept accept)
    : fd_(std::move(fd)), accept_(std::move(accept)), source_(loop, fd_.get(), EPOLLIN, [this](std::uint32_t) { accept_all(); })
{}

Listener::~Listener()
{
    if (!path_.empty())
        ::unlink(path_.c_str());
}

void Listener::accept_all()
{
    while (true) {
        UniqueFd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client)
            return;
        accept_(std::move(client));
    }
}

} // namespace tenon::tools
