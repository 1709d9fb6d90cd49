// Where the text is: in the image at first, then behind frame numbers.
#include "store.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/console.hpp>

namespace tenon::console {
namespace {

constexpr u32 pages = u32(pages_for(store::bytes));
alignas(page_size) char memory[pages * page_size];
Mfn frames[pages];
bool is_hidden;

/// f(place, done, length) for each piece of [at, at + length) that lies in one page.
template <class F> void for_each_piece(u32 at, u32 length, F&& f)
{
    for (u32 done = 0, now; done < length; done += now) {
        const u32 offset = (at + done) & page_mask;
        now = min(length - done, u32(page_size) - offset);
        if (!is_hidden)
            f(memory + at + done, done, now);
        else
            f(FrameView<char>(frames[(at + done) >> page_shift]).get() + offset, done, now);
    }
}

} // namespace

void store::write(u32 at, const char* from, u32 length)
{
    for_each_piece(at, length, [&](char* place, u32 done, u32 n) { __builtin_memcpy(place, from + done, n); });
}

void store::read(u32 at, char* to, u32 length)
{
    for_each_piece(at, length, [&](const char* place, u32 done, u32 n) { __builtin_memcpy(to + done, place, n); });
}

void hide_text()
{
    for (u32 i = 0; i < pages; i++)
        frames[i] = arch::hide_page(memory + i * page_size);
    is_hidden = true;
}

} // namespace tenon::console
