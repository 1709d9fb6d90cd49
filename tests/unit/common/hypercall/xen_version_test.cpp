#include "caller.hpp"
#include <abi/version.h>
#include <tenon/boot/known_options.hpp>

using namespace tenon;

namespace {

struct XenVersion : HypercallTest {
    s64 ask(u32 command, u64 argument = 16) { return call(__HYPERVISOR_xen_version, command, argument); }
};

TEST_F(XenVersion, Is4Dot17)
{
    EXPECT_EQ(ask(XENVER_version), 0x40011);
    EXPECT_EQ(ask(XENVER_pagesize), 4096);
    EXPECT_EQ(ask(99), failure(Error::nosys));
}

TEST_F(XenVersion, TextsFillTheirFields)
{
    std::vector<char> text(XEN_CAPABILITIES_INFO_LEN, 'x');
    u64 at = share(text);
    EXPECT_EQ(ask(XENVER_extraversion, at), 0);
    EXPECT_STREQ(text.data(), "-tenon");
    EXPECT_EQ(text[15], 0);
    EXPECT_EQ(text[16], 'x');
    EXPECT_EQ(ask(XENVER_capabilities, at), 0);
    EXPECT_STREQ(text.data(), "xen-3.0-x86_64 ");
    EXPECT_EQ(text[1023], 0);
    command_line::parse("loglvl=debug");
    EXPECT_EQ(ask(XENVER_commandline, at), 0);
    EXPECT_STREQ(text.data(), "loglvl=debug");
    become(*guest);
    EXPECT_EQ(ask(XENVER_commandline, at), 0);
    EXPECT_STREQ(text.data(), "") << "boot options are not for guests";
    EXPECT_EQ(ask(XENVER_extraversion), failure(Error::fault));
    xen_compile_info info{};
    EXPECT_EQ(ask(XENVER_compile_info, share(info)), 0);
    EXPECT_NE(info.compile_date[0], 0);
}

TEST_F(XenVersion, FeaturesAreThoseOfThePublicInterface)
{
    xen_feature_info info{0, 0};
    u64 at = share(info);
    EXPECT_EQ(ask(XENVER_get_features, at), 0);
    EXPECT_EQ(info.submap, 0x000228f0u);
    become(*guest);
    EXPECT_EQ(ask(XENVER_get_features, at), 0);
    EXPECT_EQ(info.submap, 0x000220f0u);
    info.submap_idx = 1;
    EXPECT_EQ(ask(XENVER_get_features, at), failure(Error::inval));
}

TEST_F(XenVersion, BuildIdTellsItsLengthFirst)
{
    EXPECT_EQ(ask(XENVER_build_id, 0), 4);
    struct {
        u32 length;
        u8 id[4];
    } buffer{3, {}};
    u64 at = share(buffer);
    EXPECT_EQ(ask(XENVER_build_id, at), failure(Error::nospc));
    buffer.length = 4;
    EXPECT_EQ(ask(XENVER_build_id, at), 4);
    EXPECT_EQ(buffer.id[3], 4);
}

TEST_F(XenVersion, GuestHandleAndPlatform)
{
    u8 handle[16];
    dom0->handle[15] = 0x5a;
    EXPECT_EQ(ask(XENVER_guest_handle, share(handle)), 0);
    EXPECT_EQ(handle[15], 0x5a);
    u64 start = 0;
    EXPECT_EQ(ask(XENVER_platform_parameters, share(start)), 0);
    EXPECT_EQ(start, 0xffff800000000000u);
}

} // namespace
