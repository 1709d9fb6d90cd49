// Types of frames: who may take which, when TLBs are emptied, and what is left when a validation stops half-way.
#include "arch/x86/pv/types.hpp"
#include "arch/x86/mm/paging.hpp"
#include "arch/x86/pv/update.hpp"
#include <fake/world.hpp>

using namespace tenon;
using namespace tenon::x86;
using namespace tenon::x86::pv;
using fake::World;

namespace tenon::x86 {
void install_slots(Mfn, const ArchDomain&, GuestMode) {}
} // namespace tenon::x86

Status arch::relinquish_frame(Domain& domain, Frame& frame) { return drop_pin(domain, frame); }

namespace {

struct Types : testing::Test {
    Types() { fake::on_flush(nullptr); }
    ~Types() { fake::on_flush(nullptr); }
    Mfn page() { return domains::add_pages(*guest).value(); }
    Pte* table(Mfn mfn) { return reinterpret_cast<Pte*>(fake::frame_bytes(mfn)); }
    /// A level-1 table whose entries all map `target`.
    Mfn full_table(Mfn target, u64 flags)
    {
        Mfn mfn = page();
        for (unsigned i = 0; i < entries_per_table; i++)
            table(mfn)[i] = Pte::of(target, flags);
        return mfn;
    }

    World world;
    DomainRef guest = world.make();
};

constexpr u64 read_only = Pte::present | Pte::user, read_write = read_only | Pte::writable;

TEST_F(Types, AFrameIsEitherATableOrWritable)
{
    Mfn mfn = page();
    Frame& frame = frame_at(mfn);
    ASSERT_TRUE(pin(*guest, mfn, 1));
    EXPECT_EQ(get_writable(frame).error(), Error::inval);
    EXPECT_EQ(take_type(frame, FrameType::descriptor).error(), Error::inval);
    EXPECT_EQ(pin(*guest, mfn, 1).error(), Error::inval) << "one pin";
    EXPECT_EQ(get_table(*guest, frame, 2).error(), Error::inval) << "one level";
    ASSERT_TRUE(unpin(*guest, mfn));
    ASSERT_TRUE(get_writable(frame));
    for (unsigned level = 1; level <= 4; level++)
        EXPECT_EQ(pin(*guest, mfn, level).error(), Error::inval);
    EXPECT_EQ(take_type(frame, FrameType::descriptor).error(), Error::inval);
    put_writable(frame);
    ASSERT_EQ(take_type(frame, FrameType::descriptor)->count(), 0u) << "who comes first has to look at its contents";
    EXPECT_EQ(take_type(frame, FrameType::descriptor)->count(), 1u);
    EXPECT_EQ(get_writable(frame).error(), Error::inval);
    EXPECT_EQ(frame.type_word().raw, TypeWord::of(FrameType::descriptor, 2).raw);
    frame.type.fetch_sub(2);
    EXPECT_EQ(frame.ref_count(), 1u);
}

TEST_F(Types, ATableMayNotMapItselfToWrite)
{
    Mfn mfn = page();
    table(mfn)[7] = Pte::of(mfn, read_write);
    EXPECT_EQ(pin(*guest, mfn, 1).error(), Error::inval);
    table(mfn)[7] = Pte::of(mfn, read_only);
    EXPECT_TRUE(pin(*guest, mfn, 1));
    EXPECT_EQ(write_l1_entry(*guest, table(mfn) + 8, Pte::of(mfn, read_write), guest->id, AdBits::replace).error(), Error::inval);
}

TEST_F(Types, AnEntryIsCorrectedOrRefused)
{
    guest->arch.reserved_pte_bits = u64{1} << 51;
    Mfn mfn = page(), target = page();
    table(mfn)[0] = Pte::of(target, Pte::present | Pte::global);
    table(mfn)[1] = {Pte::of(target, Pte::writable).raw | u64{1} << 51}; // not present: says nothing
    ASSERT_TRUE(pin(*guest, mfn, 1));
    EXPECT_EQ(table(mfn)[0], Pte::of(target, read_only));
    auto write = [&](Pte value) { return write_l1_entry(*guest, table(mfn) + 2, value, guest->id, AdBits::replace); };
    EXPECT_EQ(write({Pte::of(target, read_only).raw | u64{1} << 51}).error(), Error::inval) << "a reserved bit";
    EXPECT_EQ(write(Pte::of(Mfn{frame_table::end}, read_only)).error(), Error::inval) << "no memory, and it has no hardware";
    DomainRef other = world.make();
    Mfn foreign = domains::add_pages(*other).value();
    EXPECT_EQ(write(Pte::of(foreign, read_only)).error(), Error::inval);
    EXPECT_EQ(frame_at(foreign).ref_count(), 1u);
    EXPECT_EQ(table(mfn)[2], Pte{});
    guest->arch.reserved_pte_bits = 0;
}

/// Every place that a validation can stop at: who comes back finds the same as one that was never interrupted; who wants something else
/// gets rid of the half.
TEST_F(Types, AValidationCanStopAnywhere)
{
    Mfn target = page(), mfn = full_table(target, read_write);
    table(target)[0] = Pte::of(Mfn{frame_table::end}, read_only); // data, and no table
    for (unsigned stops_after = 1;; stops_after++) {
        fake::yield_after(stops_after);
        Status s = pin(*guest, mfn, 1);
        fake::yield_after(0);
        if (s) {
            EXPECT_GT(stops_after, 4u) << "a full table is long enough to be stopped in";
            break;
        }
        ASSERT_EQ(s.error(), Error::restart);
        const unsigned progress = frame_at(mfn).progress;
        EXPECT_EQ(frame_at(target).type_word().count(), progress);
        EXPECT_EQ(frame_at(target).ref_count(), progress + 1);
        EXPECT_EQ(frame_at(mfn).ref_count(), 2u) << "what is half a table stays";
        if (stops_after % 2) { // another wants to write into it
            EXPECT_EQ(get_writable(frame_at(mfn)).error(), Error::inval);
            ASSERT_EQ(pin(*guest, mfn, 2).error(), Error::inval); // of what is no table
            EXPECT_EQ(frame_at(target).type_word().count(), 0u) << "the half is gone";
            EXPECT_EQ(frame_at(mfn).ref_count(), 1u);
        } else {
            ASSERT_TRUE(pin(*guest, mfn, 1));
            EXPECT_EQ(frame_at(target).type_word().count(), 512u);
            EXPECT_EQ(frame_at(mfn).ref_count(), 2u);
            while (!unpin(*guest, mfn))
                ;
        }
        EXPECT_EQ(frame_at(target).ref_count(), 1u);
    }
}

TEST_F(Types, AReleaseCanStopAnywhere)
{
    Mfn target = page(), mfn = full_table(target, read_only);
    for (bool stopped = true; stopped;) {
        static unsigned stops_after = 0;
        ASSERT_TRUE(pin(*guest, mfn, 1));
        fake::yield_after(++stops_after);
        Status s = unpin(*guest, mfn);
        fake::yield_after(0);
        stopped = !s.ok();
        if (stopped) {
            ASSERT_EQ(s.error(), Error::restart);
            EXPECT_EQ(frame_at(target).ref_count(), frame_at(mfn).progress + 1u);
            EXPECT_EQ(frame_at(mfn).type_word().count(), 1u) << "it is still held";
            ASSERT_EQ(pin(*guest, mfn, 1).error(), Error::inval) << "no one joins what is being released";
            ASSERT_TRUE(unpin(*guest, mfn));
        }
        EXPECT_EQ(frame_at(target).ref_count(), 1u);
        EXPECT_EQ(frame_at(mfn).ref_count(), 1u);
    }
}

TEST_F(Types, AnotherTypeEmptiesTheTlbs)
{
    Mfn mfn = page();
    Frame& frame = frame_at(mfn);
    ASSERT_TRUE(get_writable(frame));
    EXPECT_EQ(fake::tlb_flushes(), 0u) << "a new frame is in no TLB";
    put_writable(frame);
    const u64 stamp = frame.stamp;
    ASSERT_TRUE(pin(*guest, mfn, 1));
    EXPECT_EQ(fake::tlb_flushes(), 1u);
    EXPECT_EQ(fake::newest_flush(), stamp);
    ASSERT_TRUE(unpin(*guest, mfn));
    ASSERT_TRUE(pin(*guest, mfn, 1));
    EXPECT_EQ(fake::tlb_flushes(), 1u) << "the same type again";
    ASSERT_TRUE(unpin(*guest, mfn));
    ASSERT_TRUE(get_writable(frame));
    EXPECT_EQ(fake::tlb_flushes(), 2u);
    EXPECT_EQ(frame.type_word().raw, TypeWord::of(FrameType::writable, 1).raw);
    put_writable(frame);
}

Frame* contested;
Domain* owner;
unsigned taken;

/// While one CPU empties the TLBs of what was a table, another takes the frame to write: it may not rely on a flush that is not done.
TEST_F(Types, WhoTakesAFormerTableDuringTheFlushFlushesToo)
{
    Mfn mfn = page();
    contested = &frame_at(mfn);
    ASSERT_TRUE(pin(*guest, mfn, 1));
    ASSERT_TRUE(unpin(*guest, mfn));
    taken = 0;
    fake::on_flush([] {
        if (taken++ == 0) {
            const u64 before = fake::tlb_flushes();
            ASSERT_TRUE(get_writable(*contested));
            EXPECT_GT(fake::tlb_flushes(), before) << "it got a table that TLBs still know";
        }
    });
    ASSERT_TRUE(get_writable(*contested));
    EXPECT_EQ(taken, 2u);
    EXPECT_EQ(contested->type_word().raw, TypeWord::of(FrameType::writable, 2).raw) << "and then it is a frame like any other";
    put_writable(*contested, true, 2);
}

/// The flush is the last one that the old type needs, because no one can take it any more.
TEST_F(Types, NobodyTakesTheOldTypeWhileTlbsAreEmptiedOfIt)
{
    Mfn mfn = page();
    contested = &frame_at(mfn);
    owner = &*guest;
    ASSERT_TRUE(get_writable(*contested));
    put_writable(*contested);
    taken = 0;
    fake::on_flush([] {
        taken++;
        EXPECT_FALSE(get_writable(*contested));
    });
    ASSERT_TRUE(pin(*guest, mfn, 1));
    EXPECT_EQ(taken, 1u);
    ASSERT_TRUE(unpin(*guest, mfn));
    fake::on_flush([] {
        taken++;
        EXPECT_FALSE(pin(*owner, mfn_of(*contested), 1));
    });
    ASSERT_TRUE(get_writable(*contested));
    EXPECT_EQ(taken, 2u);
    put_writable(*contested);
}

} // namespace
