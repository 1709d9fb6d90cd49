// The domain builder: from a configuration to a paused domain, complete but for its devices. Runs in a thread
// of its own, since unpacking a kernel takes seconds, and touches nothing of the daemon's.
#pragma once

#include "config.hpp"
#include "kernel_image.hpp"

#include <chrono>
#include <filesystem>
#include <optional>

namespace tenon::tools {

struct BuiltDomain {
    DomainId id;
    EventPort store_port, console_port;
    Mfn store_frame, console_frame;
};

/// Used by one thread at a time. Keeps the last kernel unpacked for a while: guests often come in groups.
class Builder {
public:
    /// Whatever fails, throws Error naming it, and leaves no half-built domain behind.
    BuiltDomain build(const DomainConfig& config);
    /// Gives the kept kernel's memory back, unless it was used just now.
    void forget_old_kernel();

private:
    const KernelImage& kernel(const std::string& path);

    struct Kept {
        std::string path;
        std::filesystem::file_time_type changed;
        std::uintmax_t size;
        KernelImage image;
        std::chrono::steady_clock::time_point used;
    };
    std::optional<Kept> kept_;
};

} // namespace tenon::tools
