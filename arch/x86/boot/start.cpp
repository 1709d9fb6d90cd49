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
#include <tenon/boot/option.hpp>
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

/// A place in the entry code for CLAC or STAC. [SDM 2A: 0F 01 CA, 0F 01 CB]
struct SmapSite {
    s32 code; // relative to itself
    u32 last_byte;
};

/// A store in the entry code that says that the TLB is empty.
struct PcidSite {
    s32 code; // relative to itself
    u32 bytes;
};

extern "C" {
extern char image_start[], image_end[], boot_stack[];
extern const SmapSite smap_sites_start[], smap_sites_end[];
extern const PcidSite pcid_sites_start[], pcid_sites_end[];
}

constinit BootInfo boot_info{};
constinit MemoryMap memory_map_of_machine{};
/// The loader's information, copied before its place is given to anyone.
alignas(8) constinit u8 information[64 * 1024]{};
/// Stands in for the boot CPU's own area until that exists.
alignas(64) constinit PerCpu early_cpu{};

constexpr u64 lapic_address_mask = 0xf'ffff'ffff'f000; ///< in the APIC base MSR

/// While the text can still be written.
void patch_entry_code()
{
    for (const PcidSite* site = pcid_sites_start; features.pcid && site < pcid_sites_end; site++)
        __builtin_memset(reinterpret_cast<u8*>(u64(&site->code) + u64(s64(site->code))), 0x90, site->bytes);
    for (const SmapSite* site = smap_sites_start; features.smap && site < smap_sites_end; site++) {
        auto* code = reinterpret_cast<u8*>(u64(&site->code) + u64(s64(site->code)));
        code[0] = 0x0f;
        code[1] = 0x01;
        code[2] = u8(site->last_byte);
    }
}

void read_loader_information(u64 address, u32 magic)
{
    if (magic != multiboot2::loader_magic)
        boot_failure("the boot loader is not Multiboot2 (magic %x)", magic);
    auto bytes = multiboot2::size_of(reinterpret_cast<const void*>(address));
    if (!bytes.ok() || *bytes > sizeof information)
        boot_failure("the boot loader's information is broken or larger than %zu bytes", sizeof information);
    __builtin_memcpy(information, reinterpret_cast<const void*>(address), *bytes);
    if (!multiboot2::parse({information, *bytes}, boot_info))
        boot_failure("the boot loader's information is broken");
}

void start_screen()
{
    if (!options::console.empty() && !options::console_names("vga"))
        return;
    const BootFramebuffer& f = boot_info.framebuffer;
    Status s = Error::nodev;
    if (f.kind == BootFramebuffer::Kind::rgb)
        s = screen::init_framebuffer({MachineAddr{f.address}, f.pitch, f.width, f.height, f.bits_per_pixel, f.red.position, f.red.size,
                                      f.green.position, f.green.size, f.blue.position, f.blue.size});
    else if (boot_info.efi_system_table == 0)
        s = screen::init_text();
    if (s)
        console::add_sink(screen::write);
}

void start_serial()
{
    bool second = options::console_names("com2") && !options::console_names("com1");
    std::string_view text = second ? options::com2 : options::com1;
    auto parsed = serial::parse(text, second ? 0x2f8 : 0x3f8, second ? 3 : 4);
    if (!parsed.ok()) {
        log_warning("Option %s: malformed, kept as it is", second ? "com2" : "com1");
        return;
    }
    if (!serial::init(*parsed))
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
    patch_entry_code();
    if (!memory_map_of_machine.load(boot_info))
        boot_failure("the boot loader names no memory");
    memory_map_of_machine.trim();
    boot_memory::init(memory_map_of_machine, boot_info, MachineAddr{load_base}, u64(image_end - image_start));
    u64 mib = boot_memory::ram_frames() >> 8;
    log_info("%lu MiB of memory, up to %lx", mib, boot_memory::end_of_ram().raw() << page_shift);
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
    if (!heap::init())
        boot_failure("not enough memory for the heap");

    // The machine
    MachineAddr rsdp{boot_info.rsdp_bytes ? load_base + (u64(boot_info.rsdp) - u64(image_start)) : 0};
    if (!acpi::init(rsdp))
        log_warning("No ACPI tables: one CPU, no I/O APIC");
    start_serial();
    i8259::disable(legacy_vector);
    lapic::init_boot_cpu({timer_vector, error_vector, spurious_vector});
    cpu.apic_id = lapic::id();
    ioapic::init();
    clock::init();
    lapic::calibrate_timer();
    remember_machine(memory_map_of_machine, boot_info);
    guest_time::set_wallclock(clock::boot_wallclock_ns());
    for (u32 i = 0; i < acpi::machine().ioapic_count; i++)
        pv::forbid_device(frame_of(MachineAddr{acpi::machine().ioapics[i].address}));
    pv::forbid_device(frame_of(MachineAddr{read_msr(msr::apic_base) & lapic_address_mask}));
    u32 cpus = max(acpi::machine().cpu_count, u32(1));
    cpus = min(options::max_cpus ? min(cpus, options::max_cpus) : cpus, u32(max_cpus));
    if (!timers::init(cpus) || !scheduler::init(cpus))
        boot_failure("not enough memory for the scheduler");
    create_idle_domain();
    start_other_cpus();
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
