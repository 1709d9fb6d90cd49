// Results carry values or errors, through every conversion, at every optimisation.
#include <gtest/gtest.h>
#include <tenon/lib/result.hpp>
#include <xen/errno.h>

using namespace tenon;

namespace {

[[gnu::noinline]] Result<bool> flag(Error error, bool value) { return error == Error{} ? Result<bool>(value) : error; }
[[gnu::noinline]] Status status_of(Error error)
{
    bool value = TRY(flag(error, true));
    return value ? Status(success) : Error::inval;
}
[[gnu::noinline]] Status passed_on(Error error)
{
    TRY(status_of(error));
    return success;
}

TEST(Result, AnErrorSurvivesWhereThereIsNoValue)
{
    for (Error error : {Error::perm, Error::inval, Error::restart, Error::notsup}) {
        Status status = passed_on(error);
        Status copy = status;
        EXPECT_FALSE(copy.ok());
        EXPECT_EQ(copy.error(), error);
        (void)*status;
        EXPECT_EQ(status.error(), error);
    }
    EXPECT_TRUE(passed_on(Error{}).ok());
}

TEST(Result, ErrorsHaveThePublicNumbers)
{
    for (auto [ours, number] : {std::pair{Error::perm, XEN_EPERM},
                                {Error::noent, XEN_ENOENT},
                                {Error::srch, XEN_ESRCH},
                                {Error::io, XEN_EIO},
                                {Error::toobig, XEN_E2BIG},
                                {Error::nomem, XEN_ENOMEM},
                                {Error::access, XEN_EACCES},
                                {Error::fault, XEN_EFAULT},
                                {Error::busy, XEN_EBUSY},
                                {Error::exist, XEN_EEXIST},
                                {Error::nodev, XEN_ENODEV},
                                {Error::inval, XEN_EINVAL},
                                {Error::nospc, XEN_ENOSPC},
                                {Error::range, XEN_ERANGE},
                                {Error::nosys, XEN_ENOSYS},
                                {Error::nodata, XEN_ENODATA},
                                {Error::time, XEN_ETIME},
                                {Error::notsup, XEN_EOPNOTSUPP}})
        EXPECT_EQ(int(ours), int(number));
}

TEST(Result, AStatusIsItsErrorNumber) { EXPECT_EQ(sizeof(Status), sizeof(s32)); }

TEST(Result, HoldsAValue)
{
    Result<bool> result = flag(Error{}, true);
    ASSERT_TRUE(result.ok());
    EXPECT_TRUE(*result);
    EXPECT_TRUE(result.value_or(false));
    EXPECT_FALSE(flag(Error::busy, true).value_or(false));
}

} // namespace
