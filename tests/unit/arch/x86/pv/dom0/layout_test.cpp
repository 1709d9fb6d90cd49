#include "arch/x86/pv/dom0/layout.hpp"
#include <gtest/gtest.h>

using namespace tenon;
using x86::dom0::plan;

namespace {

constexpr u64 mib = 1 << 20, top = 0xffff'ffff'8000'0000;

KernelImage kernel()
{
    KernelImage image;
    image.virt_base = top;
    image.start = top + 16 * mib;
    image.end = top + 48 * mib + 5;
    return image;
}

} // namespace

TEST(Dom0Layout, PutsEverythingBehindTheKernelInThePublicOrder)
{
    auto l = plan(kernel(), 512 * mib / page_size, 10 * mib + 1);
    ASSERT_TRUE(l.ok());
    EXPECT_EQ(l->kernel_end, top + 48 * mib + page_size);
    EXPECT_EQ(l->initrd, l->kernel_end);
    EXPECT_EQ(l->p2m, l->initrd + l->initrd_pages * page_size);
    EXPECT_EQ(l->p2m_pages, 256u);
    EXPECT_EQ(l->start_info, l->p2m + l->p2m_pages * page_size);
    EXPECT_EQ(l->tables, l->start_info + page_size);
    EXPECT_EQ(l->stack, l->tables + l->table_pages * page_size);
    EXPECT_EQ(l->end % (4 * mib), 0u);
    EXPECT_GE(l->end - l->stack, page_size + 512 * 1024);
    EXPECT_GE(l->table_pages, 3 + (l->end - top) / (2 * mib)); // L4, L3, L2 and the L1s
}

TEST(Dom0Layout, GivesTheListAPlaceOfItsOwnWhereTheKernelWantsIt)
{
    KernelImage image = kernel();
    image.init_p2m = 0x80'0000'0000;
    image.mod_start_pfn = true;
    auto l = plan(image, 4096 * mib / page_size, 10 * mib);
    ASSERT_TRUE(l.ok());
    EXPECT_TRUE(l->p2m_is_apart());
    EXPECT_EQ(l->p2m, 0x80'0000'0000u);
    EXPECT_EQ(l->p2m_table_pages, 4u + 1 + 1); // 8 MiB of list
    EXPECT_EQ(l->initrd, 0u);
    EXPECT_EQ(l->initrd_pfn, l->pfn_of(l->end));
    EXPECT_EQ(l->p2m_pfn, l->initrd_pfn + l->initrd_pages);
    image.init_p2m = 0x80'0000'1000;
    EXPECT_EQ(plan(image, 4096 * mib / page_size, 10 * mib).error(), Error::inval);
}

TEST(Dom0Layout, RefusesWhatDoesNotFit)
{
    EXPECT_EQ(plan(kernel(), 48 * mib / page_size, 0).error(), Error::nomem);
    // The kernel has 2 GiB up to the end of addresses: a larger initrd in front of everything else would wrap around.
    for (u64 initrd : {1990 * mib, 2000 * mib, 2047 * mib, 2048 * mib, 4095 * mib})
        EXPECT_EQ(plan(kernel(), u64{64} << 30 >> page_shift, initrd).error(), Error::nomem) << initrd / mib;
    KernelImage odd = kernel();
    odd.virt_base += page_size;
    EXPECT_EQ(plan(odd, 512 * mib / page_size, 0).error(), Error::inval);
}
