// The comparable form of an interface: one number per constant, offset and size per field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

struct Extent {
    size_t offset;
    size_t size;
    bool operator==(const Extent&) const = default;
};

struct Layout {
    std::map<std::string, Extent> fields; // "struct.field"; the struct itself stands under its plain name
    std::map<std::string, uint64_t> constants;
};

Layout our_layout();    // include/abi
Layout public_layout(); // the distribution's headers
