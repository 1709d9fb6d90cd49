// ConsoleLog: the file that keeps a guest's console output, from its first byte on. When it is full, it
// becomes FILE.1 and a new one begins, so that a noisy guest can not fill the disk.
#pragma once

#include <tools/lib/unique_fd.hpp>

#include <string>
#include <string_view>

namespace tenon::tools {

class ConsoleLog {
public:
    ConsoleLog(const std::string& directory, const std::string& guest);

    void write(std::string_view bytes);

private:
    void open();

    std::string path_;
    UniqueFd fd_;
    std::size_t size_ = 0;
};

} // namespace tenon::tools
