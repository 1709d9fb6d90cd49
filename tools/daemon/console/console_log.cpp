// Appending and turning over. A log that can not be written is reported once and does not stop the guest.
#include "console_log.hpp"

#include <tools/daemon/log.hpp>

#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace tenon::tools {

namespace {

constexpr std::size_t size_max = 16u << 20;

} // namespace

ConsoleLog::ConsoleLog(const std::string& directory, const std::string& guest) : path_(directory + "/console-" + guest + ".log")
{
    std::error_code ignored;
    std::filesystem::create_directories(directory, ignored);
    open();
}

void ConsoleLog::open()
{
    fd_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    struct stat status;
    size_ = fd_ && ::fstat(fd_.get(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
    if (!fd_)
        log("{}: {}", path_, std::strerror(errno));
}

void ConsoleLog::write(std::string_view bytes)
{
    if (!fd_)
        return;
    if (size_ + bytes.size() > size_max) {
        fd_.reset();
        ::rename(path_.c_str(), (path_ + ".1").c_str());
        open();
    }
    size_ += bytes.size();
    while (fd_ && !bytes.empty()) {
        auto written = ::write(fd_.get(), bytes.data(), bytes.size());
        if (written <= 0) {
            log("{}: {}", path_, std::strerror(errno));
            fd_.reset();
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace tenon::tools
