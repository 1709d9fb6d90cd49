// Errors of the dom0 programs: one exception type whose text is fit for a user to read, with the exit code
// that a script sees for it. Codes are documented in tenon(1).
#pragma once

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

namespace tenon::tools {

enum class ExitCode : int { ok = 0, failed = 1, usage = 2, no_such_domain = 3 };

class Error : public std::runtime_error {
public:
    explicit Error(const std::string& text, ExitCode code = ExitCode::failed) : std::runtime_error(text), code_(code) {}

    ExitCode code() const { return code_; }

private:
    ExitCode code_;
};

/// "opening /dev/xen/privcmd: No such file or directory"
inline Error system_error(const std::string& what, int number = errno) { return Error(fmt::format("{}: {}", what, std::strerror(number))); }

} // namespace tenon::tools
