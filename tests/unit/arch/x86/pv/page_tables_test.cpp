// Page tables of a hostile guest: after every operation, the counts in the frame table are those that a walk of all tables finds.
#include "arch/x86/mm/paging.hpp"
#include "arch/x86/pv/pin.hpp"
#include "arch/x86/pv/update.hpp"
#include <algorithm>
#include <fake/world.hpp>
#include <map>
#include <random>
#include <set>

using namespace tenon;
using namespace tenon::x86;
using namespace tenon::x86::pv;
using fake::World;

namespace {

constexpr u64 slot_mark = Pte::present | 0xabc000; ///< what stands in the hypervisor's slots

Pte* table_at(Mfn mfn) { return reinterpret_cast<Pte*>(fake::frame_bytes(mfn)); }

} // namespace

namespace tenon::x86 {
void install_slots(Mfn l4, const ArchDomain&, GuestMode) { std::fill_n(table_at(l4) + first_slot, slots, Pte{slot_mark}); }
} // namespace tenon::x86

namespace {

struct Counts {
    u32 refs = 0, types = 0;
    FrameType type = FrameType::none; ///< that the type references are of
};

class Guest {
public:
    explicit Guest(unsigned seed) : random_(seed)
    {
        guest_->arch.reserved_pte_bits = u64{1} << 51;
        for (unsigned i = 0; i < 14; i++)
            own_.push_back(domains::add_pages(*guest_).value());
        for (unsigned i = 0; i < 2; i++)
            foreign_.push_back(domains::add_pages(*other_).value());
    }
    ~Guest() { fake::yield_after(0); }

    void step()
    {
        fake::yield_after(pick(3) ? 0 : 1 + pick(4));
        caller_ = guest_->vcpus[pick(2)];
        if (finish_deferred(*caller_, *guest_)) // as every hypercall begins
            act();
        fake::yield_after(0);
    }

    /// The domain dies: nothing is left, whatever it did.
    void end()
    {
        for (Mfn mfn : written_by_others_) {
            put_writable(frame_at(mfn));
            frame_at(mfn).put();
        }
        written_by_others_.clear();
        for (unsigned i = 0; i < 2; i++)
            while (!finish_deferred(*guest_->vcpus[i], *guest_))
                ;
        for (Status s = Error::restart; !s; fake::yield_after(pick(20))) {
            s = drop_pins(*guest_);
            pinned_.clear();
            for (Mfn mfn : own_)
                if (frame_at(mfn).type_word().pinned())
                    pinned_.insert(mfn.raw());
            check();
        }
        fake::yield_after(0);
        for (Mfn mfn : own_) {
            EXPECT_EQ(frame_at(mfn).ref_count(), 1u) << "frame " << mfn.raw();
            EXPECT_EQ(frame_at(mfn).type_word().count(), 0u);
        }
        EXPECT_EQ(guest_->arch.page_tables, 0u);
    }

    void check()
    {
        std::map<u64, Counts> found;
        auto count = [&](Mfn mfn, bool typed, FrameType type) {
            Counts& c = found[mfn.raw()];
            c.refs++;
            if (!typed)
                return;
            EXPECT_TRUE(!c.types || c.type == type) << "frame " << mfn.raw() << " is used as two things";
            c.types++;
            c.type = type;
        };
        for (Mfn mfn : own_) {
            count(mfn, false, {}); // the allocation
            const TypeWord word = frame_at(mfn).type_word();
            if (is_page_table(word.type()) && (word.count() || word.partial()))
                walk(mfn, word, count);
        }
        for (Mfn mfn : foreign_)
            count(mfn, false, {});
        for (Mfn mfn : written_by_others_)
            count(mfn, true, FrameType::writable);
        for (u64 mfn : pinned_)
            count(Mfn{mfn}, true, frame_at(Mfn{mfn}).type_word().type());
        for (unsigned i = 0; i < 2; i++)
            if (Mfn mfn = guest_->vcpus[i]->deferred_table; mfn != invalid_mfn)
                count(mfn, true, frame_at(mfn).type_word().type());
        for (const auto& [mfn, counts] : found) {
            const Frame& frame = frame_at(Mfn{mfn});
            EXPECT_EQ(frame.ref_count(), counts.refs) << "references of frame " << mfn;
            EXPECT_EQ(frame.type_word().count(), counts.types) << "type references of frame " << mfn;
            EXPECT_TRUE(!counts.types || frame.type_word().type() == counts.type) << "type of frame " << mfn;
            EXPECT_EQ(frame.type_word().pinned(), pinned_.contains(mfn));
        }
    }

    unsigned stopped = 0, tables = 0, refused = 0;

private:
    unsigned pick(unsigned n) { return unsigned(random_() % n); }
    Mfn any_own() { return own_[pick(unsigned(own_.size()))]; }

    /// Each frame is data or a table of one level, most of the time: so that there are tables to work on.
    unsigned usual_level(Mfn mfn) { return unsigned(mfn.raw() % 5); }

    unsigned any_index()
    {
        constexpr unsigned edges[] = {0, 1, 15, 16, 255, first_slot, last_slot, last_slot + 1, 511};
        return pick(2) ? edges[pick(9)] : pick(512);
    }

    Pte any_entry(unsigned level)
    {
        if (!pick(6))
            return {random_() & ~Pte::present};
        Mfn target = any_own();
        if (pick(8))
            for (unsigned tries = 0; tries < 8 && usual_level(target) != level - 1; tries++)
                target = any_own();
        if (!pick(30))
            target = pick(2) ? foreign_[pick(2)] : Mfn{pick(2) ? frame_table::end + pick(9) : 0};
        u64 flags = Pte::present;
        for (u64 flag : {Pte::writable, Pte::user, Pte::accessed, Pte::dirty, Pte::no_execute})
            flags |= pick(2) ? flag : 0;
        if (!pick(40))
            flags |= pick(2) ? Pte::global : pick(2) ? Pte::large : u64{1} << 51;
        return Pte::of(target, flags);
    }

    void act()
    {
        const Mfn mfn = any_own();
        const unsigned level = pick(12) && usual_level(mfn) ? usual_level(mfn) : 1 + pick(4);
        Status s = success;
        switch (pick(12)) {
        case 0:
        case 1:
            if (s = pin(*guest_, mfn, level); s)
                pinned_.insert(mfn.raw());
            break;
        case 2:
            if (s = unpin(*guest_, mfn); s)
                pinned_.erase(mfn.raw());
            break;
        case 3: lend(mfn); break;
        case 4: take_back(); break;
        default: s = store(mfn, any_index()); break;
        }
        stopped += !s && s.error() == Error::restart;
        refused += !s && s.error() != Error::restart;
        tables = std::max(tables, guest_->arch.page_tables);
    }

    /// Another domain maps a frame to write, by a grant: at any time, under none of the guest's locks.
    void lend(Mfn mfn)
    {
        if (!frame_at(mfn).get(guest_->id))
            return;
        if (get_writable(frame_at(mfn)))
            written_by_others_.push_back(mfn);
        else
            frame_at(mfn).put();
    }
    void take_back()
    {
        if (written_by_others_.empty())
            return;
        std::swap(written_by_others_[pick(unsigned(written_by_others_.size()))], written_by_others_.back());
        put_writable(frame_at(written_by_others_.back()));
        frame_at(written_by_others_.back()).put();
        written_by_others_.pop_back();
    }

    /// A table's entry is changed by Tenon; of other frames the guest's own stores change any bytes, if it may have them writable.
    Status store(Mfn mfn, unsigned index)
    {
        Frame& frame = frame_at(mfn);
        const TypeWord word = frame.type_word();
        if (word.count() && is_page_table(word.type())) {
            if (word.partial())
                return Error::inval;
            const unsigned level = level_of(word.type());
            return write_entry(*caller_, *guest_, frame, index, any_entry(level), level, guest_->id,
                               pick(2) ? AdBits::replace : AdBits::preserve);
        }
        TRY(get_writable(frame));
        const unsigned level = usual_level(mfn);
        if (level && !pick(4))
            std::fill_n(table_at(mfn), entries_per_table, pick(2) ? any_entry(level) : Pte{});
        else
            table_at(mfn)[index] = any_entry(level ? level : 1);
        put_writable(frame);
        return success;
    }

    template <class F> void walk(Mfn mfn, TypeWord word, F& count)
    {
        const unsigned level = level_of(word.type()), held = word.partial() ? frame_at(mfn).progress : entries_per_table;
        if (word.partial() && !word.count())
            count(mfn, false, {}); // keeps the half
        for (unsigned i = 0; i < held; i++) {
            const Pte entry = table_at(mfn)[i];
            if (level == 4 && i >= first_slot && i <= last_slot) {
                EXPECT_TRUE(entry.raw == slot_mark || !word.count() || word.partial()) << "a guest wrote into slot " << i;
                continue;
            }
            if (!entry.is_present())
                continue;
            const u64 bits = entry.raw & (Pte::user | Pte::global | u64{1} << 51);
            EXPECT_EQ(bits, Pte::user) << "level " << level << " entry " << entry.raw;
            ASSERT_TRUE(std::find(own_.begin(), own_.end(), entry.mfn()) != own_.end()) << "an entry maps what is not the guest's";
            count(entry.mfn(), level > 1 || entry.is_writable(), level > 1 ? table_type(level - 1) : FrameType::writable);
            if (level > 1) {
                EXPECT_FALSE(entry.raw & Pte::large);
                const bool is_released = word.partial() && i + 1 == held; // that is where a release stopped
                EXPECT_TRUE(is_released || frame_at(entry.mfn()).type_word().is_valid_table(level - 1)) << "an entry leads to half a table";
            }
        }
    }

    World world_;
    std::mt19937_64 random_;
    DomainRef guest_ = world_.make(2), other_ = world_.make();
    Vcpu* caller_ = nullptr;
    std::vector<Mfn> own_, foreign_, written_by_others_;
    std::set<u64> pinned_;
};

TEST(PageTables, CountsAreThoseOfAWalk)
{
    unsigned stopped = 0, tables = 0, refused = 0;
    for (unsigned seed = 0; seed < 40 && !testing::Test::HasFailure(); seed++) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Guest guest(seed);
        for (unsigned step = 0; step < 1500 && !testing::Test::HasFailure(); step++) {
            SCOPED_TRACE("step " + std::to_string(step));
            guest.step();
            guest.check();
        }
        guest.end();
        stopped += guest.stopped;
        tables = std::max(tables, guest.tables);
        refused += guest.refused;
    }
    // It has to have happened, or the test says nothing.
    EXPECT_GT(stopped, 200u);
    EXPECT_GT(tables, 6u);
    EXPECT_GT(refused, 5000u);
    RecordProperty("stopped", int(stopped));
    std::printf("%u stopped half-way, %u refused, up to %u tables\n", stopped, refused, tables);
}

} // namespace
