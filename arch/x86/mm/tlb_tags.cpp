// Pure but for the instructions: a unit test runs it over a model of a TLB.
#include "tlb_tags.hpp"
#include "../cpu/features.hpp"
#include <tenon_arch/cpu_ops.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86::tlb_tags {

namespace {

constexpr u64 keep = bit(63);
enum InvpcidType : u64 { one_address, one_tag, everything };
constexpr u64 user_tag = u64(Tag::user);

} // namespace

u64 cr3_of(Mfn table, Tag tag) { return table.raw() << page_shift | (features.pcid ? u64(tag) | keep : 0); }

u64 prepare_switch(u64 kernel_cr3)
{
    forget_user();
    return kernel_cr3 & ~keep;
}

void load_and_forget(u64 kernel_cr3) { write_cr3(prepare_switch(kernel_cr3)); }

void forget_all()
{
    if (features.pcid)
        invpcid(everything, 0, 0);
    else
        write_cr3(read_cr3());
}

void forget_user()
{
    if (features.pcid)
        invpcid(one_tag, user_tag, 0);
}

void forget_page(u64 va)
{
    invalidate_page(va);
    if (features.pcid && is_canonical(va)) // INVPCID faults where INVLPG does nothing, and guests choose the address
        invpcid(one_address, user_tag, va);
}

} // namespace tenon::x86::tlb_tags
