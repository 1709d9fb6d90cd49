// MessageReader: puts messages together from bytes as they come in.
#pragma once

#include "message.hpp"

#include <cstring>
#include <optional>

namespace tenon::tools::xenstore {

class MessageReader {
public:
    void add(std::string_view bytes) { buffer_ += bytes; }
    void clear() { buffer_.clear(); }

    /// The peer has announced more than a message may hold: the connection is beyond repair.
    bool is_broken() const { return broken_; }

    std::optional<Message> next()
    {
        if (broken_ || buffer_.size() < sizeof(Header))
            return std::nullopt;
        Message message;
        std::memcpy(&message.header, buffer_.data(), sizeof(Header));
        broken_ = message.header.length > payload_max;
        if (broken_ || buffer_.size() < sizeof(Header) + message.header.length)
            return std::nullopt;
        message.payload = buffer_.substr(sizeof(Header), message.header.length);
        buffer_.erase(0, sizeof(Header) + message.header.length);
        return message;
    }

private:
    std::string buffer_;
    bool broken_ = false;
};

} // namespace tenon::tools::xenstore
