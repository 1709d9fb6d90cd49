// The table of interrupt lines, one for each device vector; shared by setup (lines.cpp), ownership and delivery (dispatch.cpp).
#pragma once
#include "vectors.hpp"
#include <tenon/irq/line.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon::irq {

struct Line {
    enum class Kind : u8 { free, gsi, msi, spare } kind = Kind::free; ///< spare: kept with its block, not in use
    bool level = false, low = false;
    bool started = false;    ///< the owner wants interrupts
    bool in_service = false; ///< level: masked until finish()
    u8 block_first = 0, block_count = 1; ///< MSI: vectors of one capability's block
    u32 gsi = 0;
    pci::MsiTarget msi;
    CpuId cpu{};
    void (*handler)(void*) = nullptr; ///< Tenon's own
    void* argument = nullptr;
    DomainId domain = dom_invalid;
    Pirq pirq{};
    u32 port = 0;
    u64 count = 0;

    bool is_owned() const { return handler != nullptr || domain != dom_invalid; }
};

extern Line lines[x86::last_device_vector + 1 - x86::first_device_vector];
extern SpinLock<Rank::irq> lines_lock;

/// The line of a vector, whatever the vector is; nullptr when it is no device's.
inline Line* line_of(u8 vector)
{
    return vector >= x86::first_device_vector && vector <= x86::last_device_vector ? &lines[vector - x86::first_device_vector] : nullptr;
}
inline u8 vector_of(const Line& line) { return u8(&line - lines + x86::first_device_vector); }
void mask(const Line& line);
void unmask(const Line& line);

} // namespace tenon::irq
