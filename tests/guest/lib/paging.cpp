// What this is: walking and changing the guest's own page tables.
#include "paging.hpp"

#include "check.hpp"
#include "hypercall.hpp"
#include "runtime.hpp"

namespace guest {

namespace {

constexpr unsigned pool_pages = 256;
alignas(page_size) char pool[pool_pages][page_size];
unsigned pool_used;
unsigned empty_vas;
alignas(page_size) char empty_region[32][page_size];
u64* l4_now;

} // namespace

u64 pfn_of(const void* va) { return (number(va) - kernel_base) >> page_shift; }
u64 mfn_of(const void* va) { return phys_to_machine[pfn_of(va)]; }
u64 maddr_of(const void* va) { return mfn_of(va) << page_shift | (number(va) & (page_size - 1)); }
u64 phys_of_mfn(u64 mfn) { return reinterpret_cast<const u64*>(machine_to_phys_base)[mfn]; }
void* va_of_mfn(u64 mfn) { return reinterpret_cast<void*>(kernel_base + (phys_of_mfn(mfn) << page_shift)); }
unsigned index_at(u64 va, int level) { return (va >> (page_shift + 9 * (level - 1))) & 511; }

u64* current_l4() { return l4_now ? l4_now : reinterpret_cast<u64*>(boot_info->pt_base); }
void set_current_l4(void* table) { l4_now = static_cast<u64*>(table); }

u64* table_of(u64 va, int level)
{
    u64* table = current_l4();
    for (int at = 4; at > level; at--) {
        u64 entry = table[index_at(va, at)];
        if (!(entry & pte_p))
            return nullptr;
        table = static_cast<u64*>(va_of_mfn(mfn_of_pte(entry)));
    }
    return table;
}
u64* entry_of(u64 va, int level)
{
    u64* table = table_of(va, level);
    return table ? table + index_at(va, level) : nullptr;
}
u64 entry_maddr(u64 va, int level) { return maddr_of(entry_of(va, level)); }

void* take_pages(unsigned count)
{
    if (pool_used + count > pool_pages)
        give_up("the page pool is empty");
    pool_used += count;
    return memset(pool[pool_used - count], 0, count * page_size);
}
void* take_page() { return take_pages(1); }

long make_ro(void* page) { return update_va_mapping(number(page), mfn_of(page) << page_shift | pte_ro); }
long make_rw(void* page) { return update_va_mapping(number(page), mfn_of(page) << page_shift | pte_rw); }
long set_entry(void* table_va, unsigned index, u64 value) { return mmu_update_one(maddr_of(static_cast<u64*>(table_va) + index), value); }

u64 take_empty_va()
{
    if (empty_vas == sizeof empty_region / page_size)
        give_up("no empty virtual page left");
    u64 va = number(empty_region[empty_vas++]);
    if (long rc = update_va_mapping(va, 0))
        give_up("cannot unmap a page: %ld", rc);
    return va;
}

} // namespace guest
