// Who may write: every combination of database, memory of the host and stamp of the store.
#include "reconcile/fence.hpp"

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tenancy::sidecar {
namespace {

const Uuid ours{{1}};
const Uuid theirs{{2}};

InstanceIdentity bound_here() {
    InstanceIdentity identity;
    identity.bound = true;
    identity.id = ours;
    identity.epoch = 3;
    identity.tick = 100;
    identity.bound_system_identifier = identity.live_system_identifier = "77";
    identity.bound_database_oid = identity.live_database_oid = "16384";
    identity.bound_timeline = identity.live_timeline = 1;
    return identity;
}

StateFile member() {
    StateFile memory;
    memory.id = ours;
    memory.epoch = 3;
    memory.system_identifier = "77";
    memory.database_oid = "16384";
    memory.timeline = 1;
    return memory;
}

StateFile intent() {
    auto memory = member();
    memory.binding = true;
    memory.id = Uuid{};
    memory.epoch = 0;
    return memory;
}

using Step = Verdict::Step;

TEST(JudgeIdentity, WritesWhereDatabaseAndHostAgree) {
    EXPECT_EQ(judge_identity(bound_here(), member()).step, Step::write);
}

TEST(JudgeIdentity, BindsOnlyWhatIsNewOnBothSides) {
    auto unbound = bound_here();
    unbound.bound = false;
    EXPECT_EQ(judge_identity(unbound, std::nullopt).step, Step::bind);
    EXPECT_EQ(judge_identity(unbound, intent()).step, Step::bind);
    EXPECT_EQ(judge_identity(unbound, member()).reason, "DatabaseUnbound");
}

TEST(JudgeIdentity, CompletesABindingThatWasMeant) {
    auto identity = bound_here();
    identity.epoch = 1;
    EXPECT_EQ(judge_identity(identity, intent()).step, Step::complete);
    auto elsewhere = intent();
    elsewhere.system_identifier = "78";
    EXPECT_EQ(judge_identity(identity, elsewhere).step, Step::observe);
    identity.epoch = 2; // adopted since by somebody
    EXPECT_EQ(judge_identity(identity, intent()).step, Step::observe);
}

TEST(JudgeIdentity, ObservesEveryKindOfCopy) {
    auto restored = bound_here(); // pg_dump into another cluster
    restored.live_system_identifier = "78";
    auto templated = bound_here(); // CREATE DATABASE ... TEMPLATE
    templated.live_database_oid = "16500";
    auto promoted = bound_here(); // pg_basebackup, then promoted
    promoted.live_timeline = 2;
    for (const auto& copy : {restored, templated, promoted}) {
        for (const auto& memory :
             {std::optional(member()), std::optional(intent()), std::optional<StateFile>()}) {
            const auto verdict = judge_identity(copy, memory);
            EXPECT_EQ(verdict.step, Step::observe);
            EXPECT_EQ(verdict.reason, "IdentityMismatch");
            EXPECT_NE(verdict.message.find("tenancyd adopt"), std::string::npos);
        }
    }
}

TEST(JudgeIdentity, ObservesOnAStandby) {
    auto standby = bound_here();
    standby.in_recovery = true;
    EXPECT_EQ(judge_identity(standby, member()).reason, "InRecovery");
}

TEST(JudgeIdentity, ObservesOnAHostThatRemembersSomethingElse) {
    EXPECT_EQ(judge_identity(bound_here(), std::nullopt).reason, "NotMember");
    auto memory = member();
    memory.id = theirs;
    EXPECT_EQ(judge_identity(bound_here(), memory).reason, "OtherInstance");
    memory = member();
    memory.epoch = 2;
    EXPECT_EQ(judge_identity(bound_here(), memory).reason, "EpochAhead");
    memory.epoch = 4;
    EXPECT_EQ(judge_identity(bound_here(), memory).reason, "EpochBehind");
    memory = member();
    memory.database_oid = "5";
    EXPECT_EQ(judge_identity(bound_here(), memory).reason, "OtherServer");
}

StampKnowledge knowing(std::int64_t tick) {
    StampKnowledge known;
    known.instance = ours;
    known.store = "cache";
    known.epoch = 3;
    known.tick = known.database_tick = tick;
    known.stamped_before = true;
    known.on_missing_stamp = "observe";
    return known;
}

using StampStep = StampVerdict::Step;

TEST(JudgeStamp, StampsAnewWithEachTick) {
    const auto verdict = judge_stamp(Stamp{ours, "cache", 3, 99}, knowing(100));
    EXPECT_EQ(verdict.step, StampStep::stamp);
    EXPECT_FALSE(verdict.went_back);
}

TEST(JudgeStamp, AcceptsItsOwnAndAnotherDaemonsStamp) {
    auto known = knowing(100);
    known.tick_written = true;
    EXPECT_EQ(judge_stamp(Stamp{ours, "cache", 3, 100}, known).step, StampStep::accept);
    known.database_tick = 101;
    EXPECT_EQ(judge_stamp(Stamp{ours, "cache", 3, 101}, known).step, StampStep::accept);
}

TEST(JudgeStamp, RefusesATickThatTheDatabaseHasNotReached) {
    const auto verdict = judge_stamp(Stamp{ours, "cache", 3, 101}, knowing(100));
    EXPECT_EQ(verdict.step, StampStep::refuse);
    EXPECT_EQ(verdict.reason, "StampMismatch");
}

TEST(JudgeStamp, RefusesItsOwnTickWrittenByACopy) {
    EXPECT_EQ(judge_stamp(Stamp{ours, "cache", 3, 100}, knowing(100)).step, StampStep::refuse);
}

TEST(JudgeStamp, RefusesAnotherInstanceAndAHigherEpoch) {
    EXPECT_EQ(judge_stamp(Stamp{theirs, "cache", 1, 1}, knowing(100)).step, StampStep::refuse);
    EXPECT_EQ(judge_stamp(Stamp{ours, "cache", 4, 1}, knowing(100)).step, StampStep::refuse);
}

TEST(JudgeStamp, StampsOverAnEarlierEpochWhateverItsTick) {
    EXPECT_EQ(judge_stamp(Stamp{ours, "cache", 2, 9999}, knowing(100)).step, StampStep::stamp);
}

// Of the same tick as well: the daemon itself has stamped that store with it.
TEST(JudgeStamp, RefusesAnotherStoreOfTheInstance) {
    for (const std::int64_t epoch : {2, 3}) {
        const auto verdict = judge_stamp(Stamp{ours, "sessions", epoch, 100}, knowing(100));
        EXPECT_EQ(verdict.step, StampStep::refuse);
        EXPECT_EQ(verdict.reason, "OtherStore");
        EXPECT_FALSE(verdict.contested);
    }
}

TEST(JudgeStamp, RefusesItsOwnStampInAnotherPlace) {
    for (const std::int64_t tick : {0, 100}) {
        auto known = knowing(tick);
        known.tick_written = true;
        known.database_tick = 100;
        EXPECT_EQ(judge_stamp(Stamp{ours, "cache", 3, 100, true}, known).reason, "StampElsewhere");
    }
}

TEST(JudgeStamp, SaysWhereAnothersStampIsThatIsNotTheStores) {
    for (const auto& theirs :
         {Stamp{Uuid{{99}}, "cache", 3, 100, true}, Stamp{ours, "sessions", 3, 100, true}}) {
        const auto verdict = judge_stamp(theirs, knowing(100));
        EXPECT_EQ(verdict.reason, "StampElsewhere");
        EXPECT_NE(verdict.message.find("check the address"), std::string::npos) << verdict.message;
        EXPECT_EQ(verdict.message.find("adopt"), std::string::npos) << verdict.message;
    }
}

TEST(JudgeStamp, SeesACopyInTheStampOfAnotherStore) {
    EXPECT_TRUE(judge_stamp(Stamp{ours, "sessions", 3, 101}, knowing(100)).contested);
}

TEST(JudgeStamp, NoticesAStoreThatWentBack) {
    auto known = knowing(100);
    known.last_seen = 99;
    EXPECT_TRUE(judge_stamp(Stamp{ours, "cache", 3, 50}, known).went_back);
}

TEST(JudgeStamp, FollowsThePolicyWhereTheStampIsMissing) {
    auto known = knowing(100);
    EXPECT_EQ(judge_stamp(std::nullopt, known).reason, "MissingStamp");
    known.on_missing_stamp = "stamp";
    EXPECT_EQ(judge_stamp(std::nullopt, known).step, StampStep::stamp);
    EXPECT_TRUE(judge_stamp(std::nullopt, known).went_back);
    known.stamped_before = false;
    known.on_missing_stamp = "observe";
    EXPECT_EQ(judge_stamp(std::nullopt, known).step, StampStep::stamp_first);
}

class StateFileTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "tenancyd-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        directory = name;
    }
    void TearDown() override { std::filesystem::remove_all(directory); }

    void write_text(const std::string& text) const {
        std::ofstream(directory / "instance.json") << text;
    }

    std::filesystem::path directory;
};

TEST_F(StateFileTest, ReadsWhatWasWrittenAndNothingWhereNothingIs) {
    EXPECT_EQ(read_state_file(directory), std::nullopt);
    write_state_file(directory, intent());
    write_state_file(directory, member());
    EXPECT_EQ(read_state_file(directory), member());
    struct stat status{};
    ASSERT_EQ(stat((directory / "instance.json").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(StateFileTest, DoesNotTakeADamagedFileForNone) {
    for (const auto* text : {"", "{", "[]", R"({"format": 2})"}) {
        write_text(text);
        EXPECT_THROW((void)read_state_file(directory), StateFileError) << text;
    }
}

TEST_F(StateFileTest, FollowsNoLinkAndLeavesNothingElseBehind) {
    const auto victim = directory / "victim";
    std::ofstream(victim) << "kept";
    std::filesystem::create_symlink(victim,
                                    directory / ("instance.json." + std::to_string(getpid())));
    write_state_file(directory, member());
    EXPECT_EQ(read_state_file(directory), member());
    std::string text;
    std::ifstream(victim) >> text;
    EXPECT_EQ(text, "kept");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 2);
}

TEST_F(StateFileTest, SaysWhereItCannotWrite) {
    EXPECT_THROW(write_state_file(directory / "missing", member()), StateFileError);
}

} // namespace
} // namespace tenancy::sidecar
