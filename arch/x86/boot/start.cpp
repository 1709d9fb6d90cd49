// First C++, and the boot order as one list, top to bottom.
#include "../cpu/features.hpp"
#include "../cpu/smp.hpp"
#include "../irq/vectors.hpp"
#include "../mm/paging.hpp"
#include "../pv/dom0/dom0.hpp"
#include "../pv/emulate/emulate.hpp"
#include "../pv/types.hpp"
#include "../time/clock.hpp"
#include "boot.hpp"
#include "boot_memory.hpp"
#include "multiboot2.hpp"
#include <tenon/boot/boot_info.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/boot/memory_map.hpp>
#include <tenon/console.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/device/i8259.hpp>
#include <tenon/device/ioapic.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/device/screen.hpp>
#include <tenon/device/serial.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sched/scheduler.hpp>
#include <tenon/time/guest_time.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

/// An instruction of the entry code that only some CPUs need or have.
struct Site {
    s32 code; // relative to itself
    u32 bytes;
};

extern "C" {
extern char image_start[], image_end[], boot_stack[];
extern const Site smap_sites_start[], smap_sites_end[]; ///< STAC and CLAC
extern const Site pcid_sites_start[], pcid_sites_end[]; ///< stores that say that the TLB is empty
}

constinit BootInfo boot_info{};
/// The loader's information, copied before its place is given to anyone.
alignas(8) constinit u8 information[64 * 1024]{};
/// Stands in for the boot CPU's own area until that exists.
alignas(64) constinit PerCpu early_cpu{};

constexpr u64 lapic_address_mask = 0xf'ffff'ffff'f000; ///< in the APIC base MSR

/// Makes each one NOP. While the text can still be written.
void take_away(const Site* site, const Site* end)
{
    for (; site < end; site++) {
        auto* code = reinterpret_cast<u8*>(u64(&site->code) + u64(s64(site->code)));
        __builtin_memset(code, 0x66, site->bytes - 1);
        code[site->bytes - 1] = 0x90;
    }
}

void read_loader_information(u64 address, u32 magic)
{
    if (magic != multiboot2::loader_magic)
        boot_failure("the boot loader is not Multiboot2 (magic %x)", magic);
    const auto* bytes = reinterpret_cast<const u32*>(address);
    if (*bytes > sizeof information)
        boot_failure("the boot loader's information is larger than %zu bytes", sizeof information);
    __builtin_memcpy(information, bytes, *bytes);
    if (!multiboot2::parse({information, *bytes}, boot_info))
        boot_failure("the boot loader's information is broken");
}

void start_screen()
{
    if (!options::console.empty() && !options::console_names("vga"))
        return;
    const BootFramebuffer& f = boot_info.framebuffer;
    if (f.address ? screen::init_framebuffer(f).ok() : !boot_info.efi_system_table && !boot_info.has_graphics && screen::init_text())
        console::add_sink(screen::write);
}

void start_serial()
{
    bool second = options::console_names("com2") && !options::console_names("com1");
    std::string_view text = second ? options::com2 : options::com1;
    auto parsed = serial::parse(text, second ? 0x2f8 : 0x3f8, second ? 3 : 4);
    if (!parsed.ok())
        log_warning("Option %s: malformed, kept as it is", second ? "com2" : "com1");
    else if (!serial::init(*parsed))
        log_warning("No serial port where the console is said to be");
}

[[noreturn]] void run_idle()
{
    asm volatile("mov %0, %%rsp; xor %%ebp, %%ebp; call *%1" ::"r"(this_cpu().stack_top), "r"(&idle_loop) : "memory");
    __builtin_unreachable();
}

} // namespace

extern "C" [[noreturn]] void start_cpp(u64 load_base, u64 information_address, u32 magic)
{
    auto* info = reinterpret_cast<StackInfo*>(boot_stack + stack_size - sizeof(StackInfo));
    info->cpu = &early_cpu;
    online.set(0);
    serial::early_init();
    console::add_sink(serial::write);
    read_loader_information(information_address, magic);
    command_line::parse(boot_info.command_line);
    log_info("Tenon, loaded by %s at %lx; command line: %s", boot_info.loader, load_base, boot_info.command_line);

    // Memory
    find_features();
    if (!features.smap)
        take_away(smap_sites_start, smap_sites_end);
    if (features.pcid)
        take_away(pcid_sites_start, pcid_sites_end);
    if (!memory_map::load(boot_info))
        boot_failure("the boot loader names no memory");
    boot_memory::init(boot_info, MachineAddr{load_base}, u64(image_end - image_start));
    u64 mib = boot_memory::ram_frames >> 8;
    log_info("%lu MiB of memory, up to %lx", mib, boot_memory::end_of_ram.raw() << page_shift);
    if (mib < 128)
        boot_failure("%lu MiB of memory are too little: Tenon and a dom0 need at least 128 MiB", mib);
    build_address_space(MachineAddr{load_base});
    build_tables();

    // This CPU
    if (!create_percpu(CpuId{0}))
        boot_failure("not enough memory for the boot CPU");
    PerCpu& cpu = percpu(CpuId{0});
    info->cpu = &cpu;
    init_cpu(cpu);
    make_default_policy();
    start_screen();
    dom0::UnpackedKernel kernel = dom0::unpack(boot_info);
    boot_memory::hand_over();

    // The machine
    if (!acpi::init({boot_info.rsdp, boot_info.rsdp_bytes}))
        log_warning("No ACPI tables: one CPU, no I/O APIC");
    start_serial();
    i8259::disable(legacy_vector);
    lapic::init_boot_cpu({timer_vector, error_vector, spurious_vector});
    cpu.apic_id = lapic::id();
    ioapic::init();
    clock::init();
    lapic::calibrate_timer();
    remember_machine(boot_info);
    guest_time::set_wallclock(clock::boot_wallclock_ns());
    for (u32 i = 0; i < acpi::machine().ioapic_count; i++)
        pv::forbid_device(frame_of(MachineAddr{acpi::machine().ioapics[i].address}));
    pv::forbid_device(frame_of(MachineAddr{read_msr(msr::apic_base) & lapic_address_mask}));
    u32 cpus = max(acpi::machine().cpu_count, u32(1));
    cpus = min(options::max_cpus ? min(cpus, options::max_cpus) : cpus, u32(max_cpus));
    if (!timers::init(cpus) || !scheduler::init(cpus))
        boot_failure("not enough memory for the scheduler");
    create_idle_domain();
    start_other_cpus(cpus);
    serial::start_receive(console::receive);

    pv::open_ports();
    dom0::start(boot_info, kernel);
    MemoryStats memory = frame_allocator::stats();
    log_info("dom0 starts; %lu MiB are free for other domains", memory.free >> 8);
    // Nothing that is a domain's stays mapped for all of them. This stack has no windows: nothing is logged on it any more.
    if (!options::keep_screen)
        screen::relinquish();
    console::hide_text();
    drop_boot_map();
    run_idle();
}

} // namespace tenon::x86
