// BlockBackend: the block device behind a guest's disk. A block device is taken as it is; a file gets a loop
// device, which the kernel takes away by itself when its last user is gone, whatever becomes of us.
#pragma once

#include <tools/lib/unique_fd.hpp>

#include <string>

namespace tenon::tools {

class BlockBackend {
public:
    /// Throws Error naming the target.
    BlockBackend(const std::string& target, bool writable);

    const std::string& path() const { return path_; }
    unsigned major_number() const { return major_; }
    unsigned minor_number() const { return minor_; }

private:
    void attach_loop(int file, const std::string& target, bool writable);

    UniqueFd fd_; ///< holds the loop device until the backend driver has it open, and longer
    std::string path_;
    unsigned major_ = 0, minor_ = 0;
};

} // namespace tenon::tools
