// PageTables: the contents of a new guest's page tables. Leaves are writable, except those that show page
// tables: the hypervisor would refuse those. Pure; the builder copies the result into the guest.
#pragma once

#include "boot_layout.hpp"

#include <array>
#include <map>

namespace tenon::tools {

class PageTables {
public:
    using Table = std::array<std::uint64_t, 512>;

    /// `frames` is the machine frame of each of the guest's frames.
    PageTables(const BootLayout& layout, const std::vector<Mfn>& frames);

    const std::map<Pfn, Table>& tables() const { return tables_; }

private:
    void map(std::uint64_t address, Pfn frame, FrameRange& pool);
    bool is_table(Pfn frame) const;

    const BootLayout& layout_;
    const std::vector<Mfn>& frames_;
    std::map<Pfn, Table> tables_;
    std::map<Mfn, Pfn> frame_of_table_;
};

} // namespace tenon::tools
