// Loop devices, by the kernel's loop-control interface.
#include "block_backend.hpp"

#include <tools/lib/error.hpp>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace tenon::tools {

BlockBackend::BlockBackend(const std::string& target, bool writable) : path_(target)
{
    int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC;
    UniqueFd fd(::open(target.c_str(), flags));
    struct stat status;
    if (!fd || ::fstat(fd.get(), &status) < 0)
        throw system_error(target);
    if (S_ISREG(status.st_mode)) {
        attach_loop(fd.get(), target, writable);
        if (::fstat(fd_.get(), &status) < 0)
            throw system_error(path_);
    } else if (S_ISBLK(status.st_mode)) {
        fd_ = std::move(fd);
    } else {
        throw Error(fmt::format("{}: neither a file nor a block device", target));
    }
    major_ = major(status.st_rdev);
    minor_ = minor(status.st_rdev);
}

void BlockBackend::attach_loop(int file, const std::string& target, bool writable)
{
    UniqueFd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    if (!control)
        throw system_error("opening /dev/loop-control (is the module loop loaded?)");
    for (unsigned attempt = 0; attempt < 64; ++attempt) { // another process may be quicker
        int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0)
            throw system_error("finding a free loop device");
        path_ = fmt::format("/dev/loop{}", number);
        UniqueFd loop(::open(path_.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC));
        if (!loop)
            throw system_error(path_);
        loop_config config{};
        config.fd = static_cast<__u32>(file);
        config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (writable ? 0 : LO_FLAGS_READ_ONLY);
        target.copy(reinterpret_cast<char*>(config.info.lo_file_name), LO_NAME_SIZE - 1);
        if (::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) {
            fd_ = std::move(loop);
            return;
        }
        if (errno != EBUSY)
            throw system_error(fmt::format("attaching {} to {}", target, path_));
    }
    throw Error(fmt::format("no loop device for {}", target));
}

} // namespace tenon::tools
