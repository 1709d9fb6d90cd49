// xen_version and vm_assist: which interface this is (4.17), who really answers, the features that a guest may rely on, and those that it
// switches on for itself.
#include "argument.hpp"
#include <abi/arch_x86.h>
#include <abi/mmu.h>
#include <abi/version.h>
#include <tenon/arch/machine.hpp>
#include <tenon/boot/known_options.hpp>

namespace tenon::hypercall {
namespace {

/// Into a fixed-size field of zeros, the last of which stays.
template <std::size_t N> void set_text(char (&field)[N], const char* text)
{
    for (std::size_t i = 0; i + 1 < N && text[i]; i++)
        field[i] = text[i];
}

template <std::size_t N> CallResult give_text(u64 argument, const char* text)
{
    char field[N]{};
    set_text(field, text);
    return done(GuestPtr<char>(argument).write_array(field, N));
}

CallResult give_compile_info(u64 argument)
{
    xen_compile_info info{};
    set_text(info.compiler, __VERSION__);
    set_text(info.compile_by, "tenon");
    set_text(info.compile_date, __DATE__ " " __TIME__);
    return done(GuestPtr<xen_compile_info>(argument).write(info));
}

Status give_features(Call& call, xen_feature_info& info)
{
    if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
        return Error::inval;
    u64 features = bit(XENFEAT_pae_pgdir_above_4gb) | bit(XENFEAT_mmu_pt_update_preserve_ad) | bit(XENFEAT_highmem_assist) |
                   bit(XENFEAT_gnttab_map_avail_bits) | bit(XENFEAT_memory_op_vnode_supported) | bit(XENFEAT_direct_mapped);
    if (call.domain.is_privileged)
        features |= bit(XENFEAT_dom0);
    info.submap = u32(features);
    return success;
}

/// With no buffer: how long the id is.
CallResult give_build_id(u64 argument)
{
    auto id = arch::build_id();
    if (id.empty())
        return Error::nodata;
    if (argument) {
        GuestPtr<xen_build_id> head(argument);
        u32 room = TRY(head.at(&xen_build_id::len).read());
        if (room < id.size())
            return Error::nospc;
        TRY((head + 1).as<u8>().write_array(id.data(), id.size()));
    }
    return s64(id.size());
}

} // namespace

CallResult xen_version(Call& call, u32 command, u64 argument)
{
    switch (command) {
    // XENVER_version: enter_xen_version, table.cpp
    case XENVER_extraversion: return give_text<XEN_EXTRAVERSION_LEN>(argument, "-tenon");
    case XENVER_compile_info: return give_compile_info(argument);
    case XENVER_capabilities: return give_text<XEN_CAPABILITIES_INFO_LEN>(argument, "xen-3.0-x86_64 ");
    case XENVER_changeset: return give_text<XEN_CHANGESET_INFO_LEN>(argument, "tenon");
    case XENVER_platform_parameters: return done(GuestPtr<xen_platform_parameters>(argument).write({MACH2PHYS_VIRT_START}));
    case XENVER_get_features: return done(with_argument(give_features, call, argument));
    case XENVER_pagesize: return s64(page_size);
    case XENVER_guest_handle: return done(GuestPtr<u8>(argument).write_array(call.domain.handle, sizeof call.domain.handle));
    case XENVER_commandline:
        // Boot options are the control domain's business; others see an empty line.
        return give_text<ABI_COMMANDLINE_LEN>(argument, call.domain.is_privileged ? command_line::text() : "");
    case XENVER_build_id: return give_build_id(argument);
    default: return refuse(call, command, Error::nosys);
    }
}

CallResult vm_assist(Call& call, u32 command, u32 type)
{
    // 4gb_segments and pae_extended_cr3 mean nothing to a 64-bit guest, which asks for them all the same; page tables are always
    // writable through emulation.
    constexpr u64 known = bit(VMASST_TYPE_4gb_segments) | bit(VMASST_TYPE_writable_pagetables) | bit(VMASST_TYPE_pae_extended_cr3) |
                          bit(VMASST_TYPE_runstate_update_flag) | bit(VMASST_TYPE_m2p_strict);
    Error refusal = command != VMASST_CMD_enable && command != VMASST_CMD_disable ? Error::nosys : Error::inval;
    if (refusal == Error::nosys || type >= 64 || !(known & bit(type)))
        return refuse(call, type, refusal);
    std::atomic_ref assists(call.domain.vm_assist);
    command == VMASST_CMD_enable ? assists.fetch_or(bit(type)) : assists.fetch_and(~bit(type));
    return s64{0};
}

} // namespace tenon::hypercall
