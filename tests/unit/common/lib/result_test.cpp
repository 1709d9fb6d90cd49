// Results carry values or errors, through every conversion, at every optimisation.
#include <gtest/gtest.h>
#include <tenon/result.hpp>

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
