// Raw mode, and copying in both directions.
#include "terminal.hpp"

#include <tools/lib/error.hpp>

#include <algorithm>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <termios.h>

namespace tenon::tools {

namespace {

constexpr char escape = 0x1d; // Ctrl-]

/// Passes every key on as it is typed, until destroyed.
class RawMode {
public:
    RawMode() : active_(::isatty(STDIN_FILENO) && ::tcgetattr(STDIN_FILENO, &saved_) == 0)
    {
        if (!active_)
            return;
        auto raw = saved_;
        ::cfmakeraw(&raw);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    ~RawMode()
    {
        if (active_)
            ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
    }

private:
    termios saved_{};
    bool active_;
};

void write_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        auto count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            throw system_error("writing to the console");
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

} // namespace

void run_console(UniqueFd socket, const std::string& first)
{
    RawMode raw;
    write_all(STDOUT_FILENO, first);
    pollfd fds[2] = {{socket.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    char buffer[4096];
    while (true) {
        if (::poll(fds, 2, -1) < 0 && errno != EINTR)
            throw system_error("waiting for the console");
        if (fds[0].revents) {
            auto got = ::recv(socket.get(), buffer, sizeof buffer, 0);
            if (got <= 0)
                return;
            write_all(STDOUT_FILENO, {buffer, static_cast<std::size_t>(got)});
        }
        if (fds[1].revents) {
            auto got = ::read(STDIN_FILENO, buffer, sizeof buffer);
            if (got <= 0) {
                fds[1].fd = -1; // no more input; output goes on
                continue;
            }
            std::string_view typed(buffer, static_cast<std::size_t>(got));
            auto end = typed.find(escape);
            write_all(socket.get(), typed.substr(0, end));
            if (end != typed.npos)
                return;
        }
    }
}

} // namespace tenon::tools
