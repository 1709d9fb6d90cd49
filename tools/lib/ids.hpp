// The numbers that the dom0 programs pass around, and the few that the ABI fixes.
#pragma once

#include <cstdint>

namespace tenon::tools {

using DomainId = std::uint16_t;
using EventPort = std::uint32_t;
using Mfn = std::uint64_t; ///< machine frame number
using Pfn = std::uint64_t; ///< a guest's own frame number

constexpr DomainId dom0_id = 0;
constexpr DomainId first_reserved_domain = 0x7ff0; ///< [xen.h DOMID_FIRST_RESERVED]

constexpr unsigned page_shift = 12;
constexpr std::uint64_t page_size = 1ull << page_shift;

constexpr std::uint64_t pages_for(std::uint64_t bytes) { return (bytes + page_size - 1) >> page_shift; }

} // namespace tenon::tools
