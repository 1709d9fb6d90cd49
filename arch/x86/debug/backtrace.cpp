// Registers and a symbolised backtrace, then the end: reboot, or halt with `noreboot`.
#include "../cpu/smp.hpp"
#include "../trap/entry.hpp"
#include <algorithm>
#include <tenon/arch/machine.hpp>
#include <tenon/console.hpp>
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
bool in_text(u64 address) { return address >= u64(image_start) && address < u64(text_end); }

/// "name+offset" of an address in the image.
void print_symbol(u64 address)
{
    const u32 offset = u32(address - u64(image_start));
    const char* names = reinterpret_cast<const char*>(symbol_table.record + symbol_table.count);
    const SymbolRecord* end = symbol_table.record + (in_text(address) ? symbol_table.count : 0);
    const SymbolRecord* next =
        std::upper_bound(symbol_table.record, end, offset, [](u32 o, const SymbolRecord& r) { return o < r.offset; });
    if (next == symbol_table.record)
        log_error("  %016lx", address);
    else
        log_error("  %016lx  %s+0x%x", address, names + next[-1].name, offset - next[-1].offset);
}

/// Follows frame pointers from `rbp`; stops at anything that does not look like a frame.
void print_backtrace(u64 rip, u64 rbp)
{
    log_error("Backtrace:");
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
    log_error("vector %u error %x  rip %04lx:%016lx  rsp %04lx:%016lx  rflags %lx", r.entry_vector, r.error_code, r.cs, r.rip, r.ss, r.rsp,
              r.rflags);
    log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r.rax, r.rbx, r.rcx, r.rdx);
    log_error("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r.rsi, r.rdi, r.rbp, r.r8);
    log_error("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r.r9, r.r10, r.r11, r.r12);
    log_error("r13 %016lx r14 %016lx r15 %016lx", r.r13, r.r14, r.r15);
    log_error("cr0 %lx cr2 %016lx cr3 %lx cr4 %lx", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

void where()
{
    PerCpu& cpu = this_cpu();
    log_error("CPU %u, running d%uv%u", cpu.id.raw(), cpu.current ? cpu.current->domain.id.raw() : 0,
              cpu.current ? cpu.current->id.raw() : 0);
}

} // namespace

void panic_with_registers(const Regs& regs)
{
    interrupts_off();
    console::enter_panic();
    log_error("Tenon crashed: exception %u in the hypervisor", regs.entry_vector);
    where();
    print_registers(regs);
    print_backtrace(regs.rip, regs.rbp);
    stop_after_failure();
}

} // namespace tenon::x86

void tenon::arch::dump_state_and_stop()
{
    x86::interrupts_off();
    x86::where();
    x86::print_backtrace(u64(__builtin_return_address(0)), u64(__builtin_frame_address(0)));
    x86::stop_after_failure();
}
