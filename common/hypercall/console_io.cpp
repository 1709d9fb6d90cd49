// console_io: the control domain's console is the machine's. What other guests write (early boot, panics) becomes log lines
// marked with their number, and no more of them than the log can bear.
#include "argument.hpp"
#include <abi/console.h>
#include <span>
#include <tenon/arch/cpu.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/console.hpp>

namespace tenon::hypercall {
namespace {

constexpr u32 chunk_size = 256;
constexpr u32 write_limit = 1 << 20;

/// Lines of guests: the unfinished one, and how many more may come. 100 a second, 500 at once.
struct GuestLines {
    static constexpr u32 burst = 500;
    static constexpr u64 interval_ns = 10'000'000;
    SpinLock<Rank::domctl> lock;
    u32 length = 0; ///< of the text in the store
    u16 domain = 0;
    u32 credit = burst, lost = 0;
    u64 counted_to = 0;

    void flush()
    {
        u64 now = arch::now_ns(), earned = (now - counted_to) / interval_ns;
        counted_to += earned * interval_ns;
        credit = u32(min(u64{burst}, credit + earned));
        if (length && credit) {
            if (lost)
                log_warning("(%u lines of guests were left out)", lost);
            lost = 0;
            credit--;
            char text[console::line_store.size];
            console::line_store.read(0, text, length);
            log_info("(d%u) %.*s", domain, int(length), text);
        } else if (length) {
            lost++;
        }
        length = 0;
    }
    void write(u16 writer, std::span<const char> text)
    {
        Guard guard(lock);
        if (writer != domain)
            flush();
        domain = writer;
        for (const char& c : text) {
            if (c == '\n' || length == console::line_store.size)
                flush();
            if (c >= ' ' || c == '\t')
                console::line_store.write(length++, &c, 1);
        }
    }
};
constinit GuestLines lines;

CallResult write(Call& call, u32 count, u64 buffer)
{
    char text[chunk_size];
    for (u32 done = 0; done < min(count, write_limit);) {
        if (done && arch::should_yield()) {
            call.args[2] = buffer + done;
            return call.restart_with(1, count - done);
        }
        u32 part = min(count - done, chunk_size);
        TRY(GuestPtr<char>(buffer + done).read_array(text, part));
        if (call.domain.is_privileged)
            console_write(text, part);
        else if (options::guest_log_level >= LogLevel::info)
            lines.write(call.domain.id.raw(), std::span(text, part));
        done += part;
    }
    return s64{0};
}

CallResult read(Call& call, u32 count, u64 buffer)
{
    TRY(PolicyCheck::control_domain(call.vcpu));
    if (s32(count) < 0)
        return Error::inval;
    char text[chunk_size];
    // A page that cannot be written must not cost what was typed.
    count = min(count, chunk_size);
    TRY(GuestPtr<char>(buffer).read_array(text, count));
    TRY(GuestPtr<char>(buffer).write_array(text, count));
    u32 got = console::read_input(text, count);
    TRY(GuestPtr<char>(buffer).write_array(text, got));
    return s64(got);
}

} // namespace

CallResult console_io(Call& call, u32 command, u32 count, u64 buffer)
{
    switch (command) {
    case CONSOLEIO_write: return write(call, count, buffer);
    case CONSOLEIO_read: return read(call, count, buffer);
    default: return refuse(call, command, Error::nosys);
    }
}

} // namespace tenon::hypercall
