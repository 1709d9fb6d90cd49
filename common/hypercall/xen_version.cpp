// xen_version: which interface this is (4.17), who really answers, and the features that a guest may rely on.
#include <abi/arch_x86.h>
#include <abi/version.h>
#include <tenon/arch/machine.hpp>
#include <tenon/hypercall/arch_calls.hpp>

namespace tenon::hypercall {
namespace {

/// A fixed-size field: the text, then zeros.
template <std::size_t N> CallResult give_text(u64 argument, const char* text)
{
    char field[N]{};
    for (std::size_t i = 0; i + 1 < N && text[i]; i++)
        field[i] = text[i];
    TRY(GuestPtr<char>(argument).write_array(field, N));
    return s64{0};
}

template <std::size_t N> void set_text(char (&field)[N], const char* text)
{
    for (std::size_t i = 0; i + 1 < N && text[i]; i++)
        field[i] = text[i];
}

CallResult give_compile_info(u64 argument)
{
    xen_compile_info info{};
    set_text(info.compiler, __VERSION__);
    set_text(info.compile_by, "tenon");
    set_text(info.compile_domain, "");
    set_text(info.compile_date, __DATE__ " " __TIME__);
    TRY(GuestPtr<xen_compile_info>(argument).write(info));
    return s64{0};
}

CallResult give_features(const Call& call, u64 argument)
{
    GuestPtr<xen_feature_info> info(argument);
    u32 word = TRY(info.at(&xen_feature_info::submap_idx).read());
    if (word >= XENFEAT_NR_SUBMAPS)
        return Error::inval;
    u64 features = bit(XENFEAT_pae_pgdir_above_4gb) | bit(XENFEAT_mmu_pt_update_preserve_ad) |
                   bit(XENFEAT_highmem_assist) | bit(XENFEAT_gnttab_map_avail_bits) |
                   bit(XENFEAT_memory_op_vnode_supported) | bit(XENFEAT_direct_mapped);
    if (call.domain.is_privileged)
        features |= bit(XENFEAT_dom0);
    TRY(info.at(&xen_feature_info::submap).write(u32(features)));
    return s64{0};
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
    case XENVER_version: return s64(abi_version);
    case XENVER_extraversion: return give_text<XEN_EXTRAVERSION_LEN>(argument, "-tenon");
    case XENVER_compile_info: return give_compile_info(argument);
    case XENVER_capabilities: return give_text<XEN_CAPABILITIES_INFO_LEN>(argument, "xen-3.0-x86_64 ");
    case XENVER_changeset: return give_text<XEN_CHANGESET_INFO_LEN>(argument, "tenon");
    case XENVER_platform_parameters:
        TRY(GuestPtr<xen_platform_parameters>(argument).write({HYPERVISOR_VIRT_START}));
        return s64{0};
    case XENVER_get_features: return give_features(call, argument);
    case XENVER_pagesize: return s64(page_size);
    case XENVER_guest_handle:
        TRY(GuestPtr<u8>(argument).write_array(call.domain.handle, sizeof call.domain.handle));
        return s64{0};
    case XENVER_commandline:
        // Boot options are the control domain's business; others see an empty line.
        return give_text<ABI_COMMANDLINE_LEN>(argument, call.domain.is_privileged ? arch::command_line() : "");
    case XENVER_build_id: return give_build_id(argument);
    default: note_refused(call, command, Error::nosys); return Error::nosys;
    }
}

} // namespace tenon::hypercall
