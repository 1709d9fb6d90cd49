// Filling of the tables: the initial mapping, then the p2m where it has an address of its own.
#include "page_tables.hpp"

#include <tools/lib/error.hpp>

namespace tenon::tools {

namespace {

// [SDM 3A 4.5.4] Present, writable, user, accessed, dirty.
constexpr std::uint64_t link_flags = 0x27, writable_flags = 0x67, read_only_flags = 0x65;

} // namespace

PageTables::PageTables(const BootLayout& layout, const std::vector<Mfn>& frames) : layout_(layout), frames_(frames)
{
    FrameRange pool = layout.tables;
    tables_[pool.first] = {}; // the top table comes first
    ++pool.first, --pool.count;
    for (Pfn frame = 0; frame < layout.mapped_end; ++frame)
        map(layout.address_of(frame), frame, pool);

    FrameRange p2m_pool = layout.p2m_tables;
    if (p2m_pool.count != 0)
        for (std::uint64_t i = 0; i < layout.p2m.count; ++i)
            map(layout.p2m_address + (i << page_shift), layout.p2m.first + i, p2m_pool);
}

bool PageTables::is_table(Pfn frame) const
{
    return (frame >= layout_.tables.first && frame < layout_.tables.end()) ||
           (frame >= layout_.p2m_tables.first && frame < layout_.p2m_tables.end());
}

void PageTables::map(std::uint64_t address, Pfn frame, FrameRange& pool)
{
    Pfn at = layout_.tables.first;
    for (unsigned shift : {39, 30, 21}) {
        auto& entry = tables_[at][address >> shift & 511];
        if (entry == 0) {
            if (pool.count == 0)
                throw Error("page tables: more needed than planned");
            tables_[pool.first] = {};
            frame_of_table_[frames_[pool.first]] = pool.first;
            entry = frames_[pool.first] << page_shift | link_flags;
            ++pool.first, --pool.count;
        }
        at = frame_of_table_.at(entry >> page_shift);
    }
    tables_[at][address >> 12 & 511] = frames_[frame] << page_shift | (is_table(frame) ? read_only_flags : writable_flags);
}

} // namespace tenon::tools
