// dom0: memory, image, tables, start_info, vCPUs, go.
#include "../../boot/boot.hpp"
#include "../../boot/boot_memory.hpp"
#include "../../cpu/smp.hpp"
#include "../../mm/pte.hpp"
#include "../pin.hpp"
#include "../vcpu.hpp"
#include "dom0.hpp"
#include "layout.hpp"
#include <abi/start_info.h>
#include <abi/version.h>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::dom0 {

namespace {

constexpr u64 guest_flags = Pte::present | Pte::writable | Pte::user | Pte::accessed | Pte::dirty;
constexpr u64 guest_read_only = guest_flags & ~Pte::writable;

/// dom0's memory while it is built: runs of consecutive frames for consecutive pfns.
class Memory {
public:
    /// Takes `pages` frames in blocks as large as there are; false when memory ran out first.
    bool take(Domain& domain, u64 pages);
    Mfn operator[](u64 pfn) const;
    u64 pages() const { return pages_; }
    void copy_in(u64 pfn, const u8* from, u64 bytes, u64 offset = 0) const; ///< offset: bytes behind the pfn's start

private:
    struct Run {
        u64 pfn, mfn;
    };
    static constexpr unsigned capacity = 1024;
    Run runs_[capacity]{};
    unsigned count_ = 0;
    u64 pages_ = 0;
};

bool Memory::take(Domain& domain, u64 pages)
{
    unsigned order = frame_allocator::max_order;
    while (pages_ < pages) {
        while (order && (u64{1} << order) > pages - pages_)
            order--;
        auto block = frame_allocator::allocate(dom_xen, order);
        if (!block.ok()) {
            if (order-- == 0)
                return false;
            continue;
        }
        if (!domains::add_block(domain, *block, order))
            return false;
        bool follows = count_ && runs_[count_ - 1].mfn + (pages_ - runs_[count_ - 1].pfn) == block->raw();
        if (!follows) {
            if (count_ == capacity)
                return false;
            runs_[count_++] = {pages_, block->raw()};
        }
        for (u64 i = 0; i < u64{1} << order; i++)
            arch::set_m2p(*block + i, pages_ + i);
        pages_ += u64{1} << order;
    }
    return true;
}

Mfn Memory::operator[](u64 pfn) const
{
    unsigned low = 0, high = count_;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        (runs_[middle].pfn <= pfn ? low : high) = middle;
    }
    return Mfn{runs_[low].mfn + (pfn - runs_[low].pfn)};
}

void Memory::copy_in(u64 pfn, const u8* from, u64 bytes, u64 offset) const
{
    pfn += offset >> page_shift;
    offset &= page_mask;
    while (bytes) {
        u64 now = min(bytes, page_size - offset);
        FrameView<u8> page((*this)[pfn++]);
        __builtin_memcpy(page.get() + offset, from, now);
        from += now;
        bytes -= now;
        offset = 0;
    }
}

/// Fills tables for consecutive addresses; new tables come from consecutive pfns.
class TableBuilder {
public:
    TableBuilder(const Memory& memory, Mfn l4, u64 next_pfn) : memory_(memory), l4_(l4), next_(next_pfn) {}
    void map(u64 va, Mfn mfn, u64 flags)
    {
        Mfn table = l4_;
        for (unsigned level = 4; level > 1; level--) {
            FrameView<Pte> view(table);
            Pte& entry = view[index_at(va, level)];
            if (!entry.is_present())
                entry = Pte::of(memory_[next_++], guest_flags);
            table = entry.mfn();
        }
        FrameView<Pte> view(table);
        view[index_at(va, 1)] = Pte::of(mfn, flags);
    }

private:
    const Memory& memory_;
    Mfn l4_;
    u64 next_;
};

u64 memory_for_dom0()
{
    u64 free = frame_allocator::stats().free;
    u64 reserve = max(free / 32, min(free / 8, u64{64} << 8)); // vCPUs, heap, and the first guest's builder
    u64 pages = min(options::dom0_memory.initial_frames(free - reserve), free - reserve / 8);
    return align_down(pages, 512);
}

void load_image(const KernelImage& image, const Memory& memory, const Layout& layout)
{
    for (const KernelImage::Segment& s : image.segments()) // fresh frames are zero: BSS needs nothing
        memory.copy_in(0, s.data.data(), s.data.size(), image.address_of(s) - layout.virt_base);
}

void build_tables(const Memory& memory, const Layout& layout)
{
    Mfn l4 = memory[layout.pfn_of(layout.tables)];
    TableBuilder kernel(memory, l4, layout.pfn_of(layout.tables) + 1);
    u64 tables_end = layout.tables + layout.table_pages * page_size;
    for (u64 va = layout.virt_base; va < layout.end; va += page_size) {
        bool is_table = va >= layout.tables && va < tables_end;
        kernel.map(va, memory[layout.pfn_of(va)], is_table ? guest_read_only : guest_flags);
    }
    if (!layout.p2m_is_apart())
        return;
    TableBuilder list(memory, l4, layout.p2m_pfn + layout.p2m_pages);
    for (u64 i = 0; i < layout.p2m_pages; i++)
        list.map(layout.p2m + i * page_size, memory[layout.p2m_pfn + i], guest_flags);
}

void write_p2m(const Memory& memory, const Layout& layout)
{
    for (u64 page = 0; page < layout.p2m_pages; page++) {
        FrameView<u64> list(memory[layout.p2m_pfn + page]);
        for (u64 i = 0; i < 512; i++) {
            u64 pfn = page * 512 + i;
            list[i] = pfn < memory.pages() ? memory[pfn].raw() : ~u64{0};
        }
    }
}

/// What dom0's console drivers need to know of the screen.
u32 describe_screen(const BootFramebuffer& f, dom0_vga_console_info& v, bool is_efi)
{
    if (f.address) {
        v.video_type = is_efi ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
        auto& l = v.u.vesa_lfb;
        l.width = u16(f.width);
        l.height = u16(f.height);
        l.bytes_per_line = u16(f.pitch);
        l.bits_per_pixel = f.bits_per_pixel;
        l.lfb_base = u32(f.address);
        l.ext_lfb_base = u32(f.address >> 32);
        l.lfb_size = u32(pages_for(u64{f.pitch} * f.height * 16) / 16);
        l.red_pos = f.red.position;
        l.red_size = f.red.size;
        l.green_pos = f.green.position;
        l.green_size = f.green.size;
        l.blue_pos = f.blue.position;
        l.blue_size = f.blue.size;
    } else {
        v.video_type = XEN_VGATYPE_TEXT_MODE_3;
        v.u.text_mode_3.font_height = 16;
        v.u.text_mode_3.rows = 25;
        v.u.text_mode_3.columns = 80;
    }
    return sizeof v;
}

void write_start_info(Domain& domain, const BootInfo& boot, const KernelImage& image, const Memory& memory, const Layout& layout)
{
    FrameView<u8> page(memory[layout.pfn_of(layout.start_info)]);
    auto& s = *reinterpret_cast<start_info*>(page.get());
    __builtin_memcpy(s.magic, "xen-3.0-x86_64p", 16);
    s.nr_pages = memory.pages();
    s.shared_info = base_of(domain.shared.mfn).raw();
    s.flags = SIF_PRIVILEGED | SIF_INITDOMAIN | (image.mod_start_pfn ? SIF_MOD_START_PFN : 0);
    s.pt_base = layout.tables;
    s.nr_pt_frames = layout.table_pages;
    s.mfn_list = layout.p2m;
    if (layout.initrd_pages) {
        s.mod_start = image.mod_start_pfn ? layout.initrd_pfn : layout.initrd;
        s.mod_len = boot.module_list[1].bytes;
    }
    if (layout.p2m_is_apart()) {
        s.first_p2m_pfn = layout.p2m_pfn;
        s.nr_p2m_frames = layout.p2m_pages + layout.p2m_table_pages;
    }
    u64 n = min(__builtin_strlen(boot.module_list[0].command_line), sizeof s.cmd_line - 1);
    __builtin_memcpy(s.cmd_line, boot.module_list[0].command_line, n);
    s.console.dom0.info_off = sizeof s;
    s.console.dom0.info_size =
        describe_screen(boot.framebuffer, *reinterpret_cast<dom0_vga_console_info*>(page.get() + sizeof s), boot.efi_system_table != 0);
}

void start_first_vcpu(Domain& domain, const KernelImage& image, const Memory& memory, const Layout& layout)
{
    Vcpu& v = *domain.vcpus[0];
    Mfn l4 = memory[layout.pfn_of(layout.tables)];
    {
        Guard guard(domain.arch.mm_lock);
        Status s = Error::restart;
        while (!s && s.error() == Error::restart)
            s = pv::pin(domain, l4, 4);
        if (!s || !pv::set_base(v, v.arch.kernel_table, l4))
            panic("dom0's first page tables are not valid");
    }
    Regs r{};
    r.rip = *image.entry;
    r.rsi = layout.start_info;
    r.rsp = layout.stack + page_size;
    r.cs = guest_cs64;
    r.ss = guest_ss;
    r.rflags = flag::interrupt | 2;
    pv::write_saved_regs(v, r);
    v.initialised = true;
    resume_vcpu(v, pause_down);
}

constinit Memory dom0_pages;

} // namespace

void start(const BootInfo& boot, UnpackedKernel& kernel)
{
    const KernelImage& image = kernel.image;
    u64 initrd_bytes = boot.module_count > 1 ? boot.module_list[1].bytes : 0;
    domains::CreateParams params;
    params.id = dom0_id;
    params.max_vcpus = options::dom0_max_vcpus ? options::dom0_max_vcpus : u32(online.count());
    params.max_vcpus = min(max(params.max_vcpus, options::dom0_min_vcpus), u32(max_vcpus));
    params.is_privileged = true;
    auto created = domains::create(params);
    if (!created.ok())
        boot_failure("not enough memory for dom0's own structures");
    Domain& domain = **created;
    domain.arch.has_hardware = true;
    domain.arch.reserved_pte_bits &= ~Pte::memory_type;
    if (!domains::create_vcpus(domain))
        boot_failure("not enough memory for dom0's %u vCPUs", params.max_vcpus);
    u64 pages = memory_for_dom0();
    auto planned = plan(image, pages, initrd_bytes);
    if (!planned.ok())
        boot_failure(planned.error() == Error::nomem ? "dom0 gets %lu MiB, too little for its kernel and initrd (see dom0_mem=)"
                                                     : "dom0's kernel names addresses that make no sense (%lu MiB)",
                     pages >> 8);
    const Layout& layout = *planned;
    log_info("dom0: %lu MiB, %u vCPUs, kernel at %lx-%lx, entry %lx", pages >> 8, params.max_vcpus, image.virt_base, layout.kernel_end,
             *image.entry);
    if (!dom0_pages.take(domain, pages))
        boot_failure("memory for dom0 ran out at %lu of %lu MiB", dom0_pages.pages() >> 8, pages >> 8);
    domain.max_pages = options::dom0_memory.maximum_frames(frame_allocator::stats().total);
    load_image(image, dom0_pages, layout);
    if (initrd_bytes)
        dom0_pages.copy_in(layout.initrd_pfn,
                           own_frame<const u8>(Mfn{boot.module_list[1].start >> page_shift}) + (boot.module_list[1].start & page_mask),
                           initrd_bytes);
    build_tables(dom0_pages, layout);
    write_p2m(dom0_pages, layout);
    if (image.hypercall_page && !arch::write_hypercall_page(domain, dom0_pages[layout.pfn_of(*image.hypercall_page)]))
        boot_failure("dom0's kernel wants its hypercall page at %lx, outside of itself", *image.hypercall_page);
    write_start_info(domain, boot, image, dom0_pages, layout);
    start_first_vcpu(domain, image, dom0_pages, layout);
    if (kernel.borrowed_frames)
        boot_memory::give_back(kernel.borrowed, kernel.borrowed_frames);
    for (const BootModule& m : boot.modules()) // whole frames of them
        if (const u64 first = pages_for(m.start), end = (m.start + m.bytes) >> page_shift; first < end)
            boot_memory::give_back(Mfn{first}, end - first);
    if (!domains::unpause_by_tools(domain))
        panic("dom0 cannot be unpaused");
}

} // namespace tenon::x86::dom0
