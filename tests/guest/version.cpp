// What this is: xen_version in all its sub-commands, and the hypervisor's CPUID leaves.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

struct Leaf {
    u32 a, b, c, d;
};

Leaf cpuid(u32 leaf, u32 subleaf = 0)
{
    Leaf r;
    asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(subleaf));
    return r;
}

bool contains(const char* text, const char* part)
{
    for (; *text; text++)
        if (strncmp(text, part, strlen(part)) == 0)
            return true;
    return false;
}

void check_version()
{
    static char text[4096];
    CHECK_EQ(xen_version(XENVER_version), 4 << 16 | 17);
    CHECK_EQ(xen_version(XENVER_extraversion, text), 0);
    CHECK(strlen(text) > 0 && strlen(text) < 16);
    print("extraversion \"%s\"\n", text);
    CHECK_EQ(xen_version(XENVER_compile_info, text), 0);
    CHECK(strlen(text) < 64);
    CHECK_EQ(xen_version(XENVER_capabilities, text), 0);
    CHECK(contains(text, "xen-3.0-x86_64 "));
    print("capabilities \"%s\"\n", text);
    CHECK_EQ(xen_version(XENVER_changeset, text), 0);
    u64 virt_start = 0;
    CHECK_EQ(xen_version(XENVER_platform_parameters, &virt_start), 0);
    CHECK_EQ(virt_start, hypervisor_start);
    CHECK_EQ(xen_version(XENVER_pagesize), 4096);
    memset(text, 0xff, 16);
    CHECK_EQ(xen_version(XENVER_guest_handle, text), 0);
    for (int i = 0; i < 16; i++)
        CHECK_EQ(text[i], 0); // dom0 has no UUID
    CHECK_EQ(xen_version(XENVER_commandline, text), 0);
    CHECK(contains(text, "dom0_mem="));
    long size = xen_version(XENVER_build_id);
    CHECK(size > 0 && size < 64);
    auto id = reinterpret_cast<xen_build_id*>(text);
    id->len = 64;
    CHECK_EQ(xen_version(XENVER_build_id, id), size);
    CHECK_EQ(xen_version(11), -XEN_ENOSYS);
    CHECK_EQ(xen_version(~0u), -XEN_ENOSYS);
    for (u32 command : {1, 2, 3, 4, 5, 6, 8, 9})
        CHECK_EQ(xen_version(command, reinterpret_cast<void*>(take_empty_va())), -XEN_EFAULT);
}

void check_features()
{
    xen_feature_info info{0, 0};
    CHECK_EQ(xen_version(XENVER_get_features, &info), 0);
    auto has = [&](unsigned bit) { return info.submap >> bit & 1; };
    for (unsigned bit : {XENFEAT_pae_pgdir_above_4gb, XENFEAT_mmu_pt_update_preserve_ad, XENFEAT_gnttab_map_avail_bits, XENFEAT_dom0})
        CHECK_EQ(has(bit), 1);
    for (unsigned bit : {XENFEAT_writable_page_tables, XENFEAT_writable_descriptor_tables, XENFEAT_auto_translated_physmap,
                         XENFEAT_supervisor_mode_kernel, XENFEAT_hvm_callback_vector, XENFEAT_hvm_safe_pvclock, XENFEAT_hvm_pirqs})
        CHECK_EQ(has(bit), 0);
    CHECK_EQ(has(XENFEAT_direct_mapped) + has(XENFEAT_not_direct_mapped), 1);
    print("features %x\n", info.submap);
    info = {1, ~0u};
    CHECK_EQ(xen_version(XENVER_get_features, &info), -XEN_EINVAL);
}

void check_cpuid()
{
    Leaf base = cpuid(0x40000000);
    CHECK(base.a >= 0x40000004 && base.a < 0x40000100);
    CHECK_EQ(base.b, 0x566e6558); // "XenVMMXenVMM"
    CHECK_EQ(base.c, 0x65584d4d);
    CHECK_EQ(base.d, 0x4d4d566e);
    CHECK_EQ(cpuid(0x40000001).a, 4 << 16 | 17);
    Leaf page = cpuid(0x40000002);
    CHECK_EQ(page.a, 1);
    CHECK_EQ(page.b, 0x40000000);
    CHECK_EQ(page.c & 1, 1); // PRESERVE_AD
    CHECK(cpuid(0x40000003, 2).a > 0);

    Leaf one = cpuid(1), seven = cpuid(7), extended = cpuid(0x80000001);
    auto hidden = [](const char* name, u32 word, unsigned bit) { check_true(name, 0, "is hidden", !(word >> bit & 1)); };
    auto visible = [](const char* name, u32 word, unsigned bit) { check_true(name, 0, "is visible", word >> bit & 1); };
    hidden("vme", one.d, 1), hidden("pse", one.d, 3), hidden("pge", one.d, 13);
    hidden("pse36", one.d, 17), hidden("ds", one.d, 21), hidden("monitor", one.c, 3), hidden("vmx", one.c, 5);
    hidden("pdcm", one.c, 15), hidden("pcid", one.c, 17), hidden("x2apic", one.c, 21), hidden("tsc-deadline", one.c, 24);
    hidden("smep", seven.b, 7), hidden("invpcid", seven.b, 10), hidden("smap", seven.b, 20), hidden("umip", seven.c, 2);
    hidden("pku", seven.c, 3), hidden("la57", seven.c, 16), hidden("svm", extended.c, 2), hidden("1gb", extended.d, 26);
    hidden("xsaves", cpuid(0xd, 1).a, 3);
    visible("tsc", one.d, 4), visible("apic", one.d, 9), visible("pat", one.d, 16), visible("sse2", one.d, 26);
    visible("cx16", one.c, 13), visible("hypervisor", one.c, 31), visible("nx", extended.d, 20);
    visible("syscall", extended.d, 11), visible("lm", extended.d, 29);
    print("cpuid 1: ecx %x edx %x, 7: ebx %x ecx %x edx %x, 80000001: ecx %x edx %x\n", one.c, one.d, seven.b, seven.c, seven.d, extended.c,
          extended.d);
    CHECK_EQ(cpuid(5).a, 0);
    CHECK_EQ(cpuid(0xa).a, 0);
}

} // namespace

void guest::test()
{
    check_version();
    check_features();
    check_cpuid();
}
