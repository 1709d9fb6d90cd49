// Moving bytes out of and into a console page.
#include "ring.hpp"

#include <algorithm>
#include <cstring>

namespace tenon::tools {

namespace {

std::uint32_t load(const std::uint32_t& shared) { return __atomic_load_n(&shared, __ATOMIC_ACQUIRE); }

void store(std::uint32_t& shared, std::uint32_t value) { __atomic_store_n(&shared, value, __ATOMIC_RELEASE); }

} // namespace

std::string ConsoleRing::take_output()
{
    constexpr std::uint32_t size = sizeof page_.out;
    auto consumer = load(page_.out_cons);
    auto available = load(page_.out_prod) - consumer;
    if (available > size) { // nonsense: start again from where the guest says it is
        store(page_.out_cons, consumer + available);
        return "";
    }
    auto offset = static_cast<std::uint32_t>(MASK_XENCONS_IDX(consumer, page_.out));
    auto first = std::min(available, size - offset);
    std::string bytes(page_.out + offset, first);
    bytes.append(page_.out, available - first);
    store(page_.out_cons, consumer + available);
    return bytes;
}

std::size_t ConsoleRing::give_input(std::string_view bytes)
{
    constexpr std::uint32_t size = sizeof page_.in;
    auto producer = load(page_.in_prod);
    auto used = producer - load(page_.in_cons);
    if (used > size)
        return bytes.size(); // nobody there to read it
    auto count = static_cast<std::uint32_t>(std::min<std::size_t>(size - used, bytes.size()));
    auto offset = static_cast<std::uint32_t>(MASK_XENCONS_IDX(producer, page_.in));
    auto first = std::min(count, size - offset);
    std::memcpy(page_.in + offset, bytes.data(), first);
    std::memcpy(page_.in, bytes.data() + first, count - first);
    store(page_.in_prod, producer + count);
    return count;
}

} // namespace tenon::tools
