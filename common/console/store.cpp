// Where the text is: in the image at first, then behind frame numbers.
#include <tenon/arch/memory.hpp>
#include <tenon/console.hpp>

namespace tenon::console {
namespace {

constexpr u32 pages = u32(pages_for(store_bytes));
alignas(page_size) char memory[pages * page_size];
Mfn frames[pages];
bool is_hidden;

/// f(place, done, length) for each piece of what lies in one page, and does not run round.
template <class F> void for_each_piece(const Store& store, u32 position, u32 length, F&& f)
{
    for (u32 done = 0, now; done < length; done += now) {
        const u32 inside = (position + done) % store.size, at = store.start + inside, offset = at & page_mask;
        now = min(min(length - done, u32(page_size) - offset), store.size - inside);
        if (!is_hidden)
            f(memory + at, done, now);
        else
            f(FrameView<char>(frames[at >> page_shift]).get() + offset, done, now);
    }
}

} // namespace

void Store::write(u32 position, const char* from, u32 length) const
{
    for_each_piece(*this, position, length, [&](char* place, u32 done, u32 n) { __builtin_memcpy(place, from + done, n); });
}

void Store::read(u32 position, char* to, u32 length) const
{
    for_each_piece(*this, position, length, [&](const char* place, u32 done, u32 n) { __builtin_memcpy(to + done, place, n); });
}

void hide_text()
{
    for (u32 i = 0; i < pages; i++)
        frames[i] = arch::hide_page(memory + i * page_size);
    is_hidden = true;
}

} // namespace tenon::console
