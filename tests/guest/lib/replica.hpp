// What this is: a second domain that runs this very image, built by the micro-guest as dom0: the same code at the same addresses, with
// start_info, page tables and a list of frames of its own. It comes through start.S and guest_main() to test(), and knows by its
// start_info that it is not the first domain.
#pragma once

#include "child.hpp"

namespace guest {

class Replica : public BuiltDomain {
public:
    static constexpr u32 image_pfn = 0x100, max_pages = 0x600;
    enum Page : u32 { info_page, list, l4 = 4, l3, l2, l1, low_pages = 12 };
    static constexpr u32 first_word = 256; ///< of the info page, from here on: words that parent and child share

    u64 frames[max_pages] = {}; ///< by PFN; 0 where it has none
    volatile u64* words = nullptr;
    u64 words_va = 0;

    long create(u32 vcpus);
    long build(); ///< a copy of this image as it is now; `words` can be filled from then on
    long destroy();

private:
    long fill_page(u32 pfn, void (*fill)(Replica&, u32 pfn, u64* page));
    u32 image_end_pfn() const;
};

/// What the parent wrote, seen by the child (or by itself, when this is the first domain: garbage).
volatile u64* words_of_parent();

} // namespace guest
