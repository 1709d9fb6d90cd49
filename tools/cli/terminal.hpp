// The terminal's end of a guest's console.
#pragma once

#include <tools/lib/unique_fd.hpp>

#include <string>

namespace tenon::tools {

/// Between this terminal and the socket, until the console ends or the user types Ctrl-]. `first` are bytes
/// that have come already.
void run_console(UniqueFd socket, const std::string& first);

} // namespace tenon::tools
