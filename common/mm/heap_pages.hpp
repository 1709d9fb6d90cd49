// Between the heap's two halves: whole pages of the window, and the small objects cut from them.
#pragma once
#include <tenon/addr.hpp>
#include <tenon/ids.hpp>

namespace tenon::heap {

/// `count` zeroed pages at consecutive addresses, their frames owned by `owner`; nullptr when there is no memory.
void* allocate_pages(u64 count, DomainId owner, Mfn* first_frame = nullptr);
void free_pages(void* pointer);
void reset_small();

} // namespace tenon::heap
