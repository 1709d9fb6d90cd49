// Registers and a symbolised backtrace, then the end: reboot, or halt with `noreboot`.
#include "backtrace.hpp"
#include "../cpu/smp.hpp"
#include "../trap/interrupts.hpp"
#include <tenon/arch/machine.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/console.hpp>
#include <tenon/device/power.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

/// What tools/dev/symbol_table.py writes into the image; the names follow the records.
struct SymbolRecord {
    u32 offset, name;
};
struct SymbolTable {
    u64 count;
    SymbolRecord record[];
};
extern "C" {
extern const SymbolTable symbol_table;
extern char image_start[], text_end[];
}
constinit bool panicking = false;

[[gnu::format(printf, 1, 2)]] void say(const char* format, ...)
{
    va_list args;
    va_start(args, format);
    console::write_line(LogLevel::error, format, args);
    va_end(args);
}

bool in_text(u64 address) { return address >= u64(image_start) && address < u64(text_end); }

} // namespace

bool is_panicking() { return panicking; }

void print_symbol(u64 address)
{
    const SymbolRecord* best = nullptr;
    if (in_text(address)) {
        u64 low = 0, high = symbol_table.count;
        while (low < high) {
            u64 mid = (low + high) / 2;
            if (symbol_table.record[mid].offset <= address - u64(image_start)) {
                best = &symbol_table.record[mid];
                low = mid + 1;
            } else
                high = mid;
        }
    }
    const char* names = reinterpret_cast<const char*>(symbol_table.record + symbol_table.count);
    if (best)
        say("  %016lx  %s+0x%lx", address, names + best->name, address - u64(image_start) - best->offset);
    else
        say("  %016lx", address);
}

void print_backtrace(u64 rip, u64 rbp)
{
    say("Backtrace:");
    print_symbol(rip);
    u64 sp;
    asm("mov %%rsp, %0" : "=r"(sp));
    u64 low = sp & ~(stack_size - 1), high = low + stack_size - sizeof(StackInfo);
    for (unsigned depth = 0; depth < 32 && rbp >= low && rbp + 16 <= high && rbp % 8 == 0; depth++) {
        auto* frame = reinterpret_cast<const u64*>(rbp);
        if (!in_text(frame[1]))
            break;
        print_symbol(frame[1]);
        if (frame[0] <= rbp)
            break;
        rbp = frame[0];
    }
}

void print_registers(const Regs& r)
{
    say("vector %u error %x  rip %04lx:%016lx  rsp %04lx:%016lx  rflags %lx", r.entry_vector, r.error_code, r.cs, r.rip, r.ss, r.rsp, r.rflags);
    say("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r.rax, r.rbx, r.rcx, r.rdx);
    say("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r.rsi, r.rdi, r.rbp, r.r8);
    say("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r.r9, r.r10, r.r11, r.r12);
    say("r13 %016lx r14 %016lx r15 %016lx", r.r13, r.r14, r.r15);
    say("cr0 %lx cr2 %016lx cr3 %lx cr4 %lx", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

namespace {

[[noreturn]] void stop()
{
    stop_other_cpus();
    if (options::noreboot) {
        say("Halted (noreboot).");
        for (;;)
            asm volatile("cli; hlt");
    }
    say("Rebooting in five seconds.");
    for (u64 start = arch::now_ns(); arch::now_ns() - start < 5'000'000'000;)
        pause();
    power::reboot();
}

void where()
{
    PerCpu& cpu = this_cpu();
    say("CPU %u, running d%uv%u", cpu.id.raw(), cpu.current ? cpu.current->domain.id.raw() : 0, cpu.current ? cpu.current->id.raw() : 0);
}

} // namespace

void panic_with_registers(const Regs& regs)
{
    interrupts_off();
    console::enter_panic();
    panicking = true;
    say("Tenon crashed: exception %u in the hypervisor", regs.entry_vector);
    where();
    print_registers(regs);
    print_backtrace(regs.rip, regs.rbp);
    stop();
}

} // namespace tenon::x86

namespace tenon::arch {

void dump_state_and_stop()
{
    x86::interrupts_off();
    x86::panicking = true;
    x86::where();
    x86::print_backtrace(u64(__builtin_return_address(0)), u64(__builtin_frame_address(0)));
    x86::stop();
}

} // namespace tenon::arch
