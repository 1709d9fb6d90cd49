// The daemon's own log: lines on stderr, which whoever starts it keeps.
#pragma once

#include <cstdio>
#include <fmt/format.h>

namespace tenon::tools {

template <class... Args> void log(fmt::format_string<Args...> format, Args&&... args)
{
    fmt::print(stderr, "tenond: {}\n", fmt::format(format, std::forward<Args>(args)...));
}

} // namespace tenon::tools
