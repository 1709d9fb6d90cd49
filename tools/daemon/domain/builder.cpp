// Loading a kernel into a new domain.
#include "builder.hpp"

#include "page_tables.hpp"
#include <tools/lib/foreign_map.hpp>

#include <abi/arch_x86.h>
#include <abi/grant_table.h>
#include <abi/shared_info.h>
#include <abi/start_info.h>
#include <algorithm>
#include <fstream>

namespace tenon::tools {

namespace {

Bytes read_file(const std::string& path, const std::string& what)
{
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file)
        throw system_error(what);
    Bytes bytes(static_cast<std::size_t>(file.tellg()));
    file.seekg(0);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
        throw system_error(fmt::format("reading the {}", what));
    return bytes;
}

/// Destroys the domain again unless told to keep it.
class HalfBuilt {
public:
    HalfBuilt(Hypervisor& hypervisor, DomainId id) : hypervisor_(hypervisor), id_(id) {}
    ~HalfBuilt()
    {
        if (!keep_)
            try {
                while (!hypervisor_.destroy_step(id_)) {
                }
            } catch (const Error&) {
            }
    }
    void keep() { keep_ = true; }

private:
    Hypervisor& hypervisor_;
    DomainId id_;
    bool keep_ = false;
};

/// The guest's memory by guest-physical address, mapped piece by piece.
class GuestMemory {
public:
    GuestMemory(ForeignMemory& memory, DomainId id, const std::vector<Mfn>& frames) : memory_(memory), id_(id), frames_(frames) {}

    void write(std::uint64_t address, ByteView data)
    {
        each_piece(address, data.size(),
                   [&](std::byte* to, std::size_t done, std::size_t size) { std::memcpy(to, data.data() + done, size); });
    }
    void clear(std::uint64_t address, std::uint64_t size)
    {
        each_piece(address, size, [](std::byte* to, std::size_t, std::size_t count) { std::memset(to, 0, count); });
    }
    template <class T> void write_frame(Pfn frame, const T& value)
    {
        clear(frame << page_shift, page_size);
        write(frame << page_shift, std::as_bytes(std::span(&value, 1)));
    }

private:
    template <class F> void each_piece(std::uint64_t address, std::uint64_t size, F use)
    {
        constexpr std::uint64_t window = 1024; // frames mapped at a time
        for (std::uint64_t done = 0; done < size;) {
            auto at = address + done;
            auto offset = at & (page_size - 1);
            auto frame = at >> page_shift;
            auto count = std::min(window, pages_for(offset + size - done));
            auto bytes = std::min(size - done, (count << page_shift) - offset);
            ForeignMap map(memory_, id_, std::span(frames_).subspan(frame, count));
            use(map.data() + offset, done, bytes);
            done += bytes;
        }
    }

    ForeignMemory& memory_;
    DomainId id_;
    const std::vector<Mfn>& frames_;
};

start_info make_start_info(const BootLayout& layout, const BuiltDomain& domain, const DomainConfig& config, std::uint64_t initrd_bytes,
                           Mfn shared_info)
{
    start_info info{};
    std::strcpy(info.magic, "xen-3.0-x86_64");
    info.nr_pages = layout.pages;
    info.shared_info = shared_info << page_shift;
    info.store_mfn = domain.store_frame;
    info.store_evtchn = domain.store_port;
    info.console.domU.mfn = domain.console_frame;
    info.console.domU.evtchn = domain.console_port;
    info.pt_base = layout.address_of(layout.tables.first);
    info.nr_pt_frames = layout.tables.count;
    info.mfn_list = layout.p2m_address;
    if (layout.p2m_tables.count != 0) {
        info.first_p2m_pfn = layout.p2m.first;
        info.nr_p2m_frames = layout.p2m.count + layout.p2m_tables.count;
    }
    info.mod_len = initrd_bytes;
    if (initrd_bytes != 0 && layout.initrd_mapped) {
        info.mod_start = layout.address_of(layout.initrd.first);
    } else if (initrd_bytes != 0) {
        info.mod_start = layout.initrd.first;
        info.flags |= SIF_MOD_START_PFN;
    }
    std::memcpy(info.cmd_line, config.command_line.data(), std::min<std::size_t>(config.command_line.size(), MAX_GUEST_CMDLINE - 1));
    return info;
}

vcpu_guest_context make_context(const KernelImage& kernel, const BootLayout& layout, Mfn top_table)
{
    vcpu_guest_context context{};
    auto stack_top = layout.address_of(layout.stack.end());
    context.flags = VGCF_in_kernel | VGCF_online;
    context.user_regs.rip = kernel.entry;
    context.user_regs.rsp = stack_top;
    context.user_regs.rsi = layout.address_of(layout.start_info.first);
    context.user_regs.rflags = 1 << 9; // interrupts on
    context.user_regs.cs = FLAT_KERNEL_CS64;
    context.user_regs.ss = FLAT_KERNEL_SS64;
    context.kernel_ss = FLAT_KERNEL_SS64;
    context.kernel_sp = stack_top;
    context.ctrlreg[3] = xen_pfn_to_cr3(top_table);
    return context;
}

void init_shared_info(ForeignMemory& memory, DomainId id, Mfn frame)
{
    ForeignMap map(memory, id, std::span(&frame, 1));
    std::memset(map.data(), 0, page_size);
    auto info = reinterpret_cast<shared_info*>(map.data());
    for (auto& vcpu : info->vcpu_info)
        vcpu.evtchn_upcall_mask = 1;
}

void load(GuestMemory& memory, const KernelImage& kernel, const Bytes& initrd, const BootLayout& layout, const std::vector<Mfn>& frames)
{
    for (const auto& segment : kernel.segments) {
        memory.write(segment.guest_address, ByteView(kernel.elf).subspan(segment.file_offset, segment.file_size));
        memory.clear(segment.guest_address + segment.file_size, segment.memory_size - segment.file_size);
    }
    memory.write(layout.initrd.first << page_shift, initrd);
    memory.clear(layout.p2m.first << page_shift, layout.p2m.count << page_shift);
    memory.write(layout.p2m.first << page_shift, std::as_bytes(std::span(frames)));
    for (const auto& ring : {layout.store_ring, layout.console_ring, layout.stack})
        memory.clear(ring.first << page_shift, page_size);
    PageTables tables(layout, frames);
    for (auto range : {layout.tables, layout.p2m_tables})
        memory.clear(range.first << page_shift, range.count << page_shift);
    for (const auto& [frame, table] : tables.tables())
        memory.write(frame << page_shift, std::as_bytes(std::span(table)));
}

} // namespace

const KernelImage& Builder::kernel(const std::string& path)
{
    auto changed = std::filesystem::last_write_time(path);
    auto size = std::filesystem::file_size(path);
    if (!kept_ || kept_->path != path || kept_->changed != changed || kept_->size != size) {
        kept_.reset(); // never two at a time
        try {
            kept_ = Kept{path, changed, size, KernelImage::parse(read_file(path, "kernel")), {}};
        } catch (const Error& error) {
            throw Error(fmt::format("{}: {}", path, error.what()));
        }
    }
    kept_->used = std::chrono::steady_clock::now();
    return kept_->image;
}

void Builder::forget_old_kernel()
{
    if (kept_ && std::chrono::steady_clock::now() - kept_->used > std::chrono::seconds(100))
        kept_.reset();
}

BuiltDomain Builder::build(const DomainConfig& config)
{
    const auto& kernel = this->kernel(config.kernel);
    auto initrd = config.ramdisk.empty() ? Bytes{} : read_file(config.ramdisk, "ramdisk " + config.ramdisk);
    auto pages = std::uint64_t{config.memory_mib} << 8;
    auto layout = BootLayout::plan(kernel, initrd.size(), pages);

    Hypervisor hypervisor;
    ForeignMemory foreign;
    if (auto free = hypervisor.machine().free_pages; free < pages)
        throw Error(fmt::format("not enough free memory: '{}' needs {} MiB, {} MiB are free", config.name, config.memory_mib, free >> 8));
    auto id = hypervisor.create_domain(config.uuid, config.vcpus);
    HalfBuilt half_built(hypervisor, id);
    hypervisor.set_max_vcpus(id, config.vcpus);
    hypervisor.set_cpu_share(id, config.cpu_share);
    hypervisor.set_max_memory(id, (std::uint64_t{config.max_memory_mib} << 10) + 1024); // slack for what it grants
    BuiltDomain domain{.id = id,
                       .store_port = hypervisor.allocate_port(id, dom0_id),
                       .console_port = hypervisor.allocate_port(id, dom0_id),
                       .store_frame = 0,
                       .console_frame = 0};
    hypervisor.set_memory_map(id, std::uint64_t{config.max_memory_mib} << 20);
    auto frames = hypervisor.populate(id, pages);
    domain.store_frame = frames[layout.store_ring.first];
    domain.console_frame = frames[layout.console_ring.first];

    GuestMemory memory(foreign, id, frames);
    load(memory, kernel, initrd, layout, frames);
    auto info = hypervisor.domain(id);
    if (!info)
        throw Error(fmt::format("domain {} has gone while it was built", id));
    memory.write_frame(layout.start_info.first, make_start_info(layout, domain, config, initrd.size(), info->shared_info));
    init_shared_info(foreign, id, info->shared_info);
    if (kernel.hypercall_page) {
        auto frame = (*kernel.hypercall_page - kernel.virtual_base) >> page_shift;
        if (frame >= pages)
            throw Error("the kernel's hypercall page lies outside of its memory");
        hypervisor.fill_hypercall_page(id, frames[frame]);
    }
    auto top_table = frames[layout.tables.first];
    hypervisor.pin_top_table(id, top_table);
    hypervisor.set_vcpu_context(id, 0, make_context(kernel, layout, top_table));

    GrantTableMap grants(foreign, id);
    grants.permit(GNTTAB_RESERVED_CONSOLE, dom0_id, domain.console_frame);
    grants.permit(GNTTAB_RESERVED_XENSTORE, dom0_id, domain.store_frame);
    half_built.keep();
    return domain;
}

} // namespace tenon::tools
