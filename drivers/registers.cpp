// Pages of memory-mapped registers that Tenon touches now and then: power registers, extended configuration space, MSI-X tables. Once
// mapped they stay: firmware and dom0 name few of them, and they do not move.
#include <atomic>
#include <tenon/device/io.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::io {
namespace {

struct Page {
    u64 address;
    u8* base;
};
constexpr unsigned capacity = 512;
constinit Page pages[capacity]{};
constinit std::atomic<unsigned> count{0};
constinit SpinLock<Rank::window> lock; // a leaf: nothing is called with it held

} // namespace

void* map_register(u64 address, unsigned bytes)
{
    const u64 offset = address & page_mask, page = address - offset;
    const unsigned known = count.load(std::memory_order_acquire);
    if (offset + bytes > page_size)
        return nullptr;
    for (unsigned i = 0; i < known; i++)
        if (pages[i].address == page)
            return pages[i].base + offset;
    auto* base = known < capacity ? static_cast<u8*>(x86::map_device(MachineAddr{page}, page_size)) : nullptr;
    if (!base)
        return nullptr;
    Guard guard(lock);
    // Two CPUs may both bring the same page: the first entry is found, the other one costs nothing but its place.
    if (const unsigned n = count.load(std::memory_order_relaxed); n < capacity) {
        pages[n] = {page, base};
        count.store(n + 1, std::memory_order_release);
    }
    return base + offset;
}

} // namespace tenon::io
