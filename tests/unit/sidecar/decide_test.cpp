// Every state of the lifecycle table, every transition and every drift.
#include "reconcile/decide.hpp"

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconcile/lifecycle.hpp"

namespace tenancy::sidecar {
namespace {

using Kind = Action::Kind;

const Uuid ours{{1}};
const Uuid theirs{{2}};

IndexTemplate index_on(const std::string& field) {
    IndexTemplate index;
    index.name = "by_" + field;
    index.keys = {{field, Json(1)}};
    return index;
}

std::shared_ptr<const Templates> messages_template() {
    CollectionTemplate messages;
    messages.name = "messages";
    messages.validator = Json{{"text", {{"$type", "string"}}}};
    auto at = index_on("at");
    at.ttl_seconds = 60;
    messages.indexes = {{"by_at", at}, {"by_text", index_on("text")}};
    return std::make_shared<const Templates>(Templates{{"messages", messages}});
}

Desired wanted(const std::string& state, std::int64_t generation = 5) {
    Desired desired;
    desired.tenant = Uuid{{9}};
    desired.state = state;
    desired.generation = generation;
    desired.settings = Json{{"limit", 10}};
    return desired;
}

Observed shown(const Desired& desired) {
    Observed observed;
    observed.marker = Marker{ours, desired.generation, desired.state};
    observed.settings = desired.settings;
    observed.collections = desired.templates ? *desired.templates : Templates{};
    observed.has_objects = true;
    return observed;
}

std::vector<Action> steps(const Desired& desired, const Observed& observed,
                          std::string_view policy = "report") {
    const auto decided = decide(desired, observed, ours, policy);
    EXPECT_TRUE(decided.ok()) << decided.failure().reason;
    return decided.ok() ? decided.value().actions : std::vector<Action>{};
}

Failure refusal(const Desired& desired, const Observed& observed,
                std::string_view policy = "report") {
    const auto decided = decide(desired, observed, ours, policy);
    EXPECT_FALSE(decided.ok());
    return decided.ok() ? Failure{} : decided.failure();
}

const Action publish{Kind::publish, "", ""};
const Action claim{Kind::claim, "", ""};
const Action erase{Kind::erase, "", ""};

TEST(Decide, LeavesAloneWhatShowsWhatIsWanted) {
    for (const auto& state : lifecycle_states) {
        auto desired = wanted(std::string(state.name));
        desired.templates = messages_template();
        EXPECT_TRUE(steps(desired, shown(desired)).empty()) << state.name;
    }
}

TEST(Decide, PublishesEveryTransitionInOneStep) {
    for (const auto& transition : lifecycle_transitions) {
        const auto desired = wanted(std::string(transition.to), 6);
        const auto observed = shown(wanted(std::string(transition.from), 5));
        EXPECT_EQ(steps(desired, observed), std::vector{publish}) << transition.action;
    }
}

TEST(Decide, ErasesWhateverStateWasShown) {
    for (const auto& state : lifecycle_states) {
        auto desired = wanted("erasing", 6);
        desired.present = false;
        EXPECT_EQ(steps(desired, shown(wanted(std::string(state.name)))), std::vector{erase});
    }
}

TEST(Decide, TakesAbsenceAsProofOfErasure) {
    auto desired = wanted("erased");
    desired.present = false;
    EXPECT_TRUE(steps(desired, {}).empty());
}

TEST(Decide, ErasesWhatHasLostItsMarker) {
    auto desired = wanted("erasing");
    desired.present = false;
    Observed observed;
    observed.has_objects = true;
    EXPECT_EQ(steps(desired, observed), std::vector{erase});
}

TEST(Decide, DoesNotGuessAnUnknownState) {
    const auto failure = refusal(wanted("hibernating"), {});
    EXPECT_EQ(failure.kind, FailureKind::permanent);
    EXPECT_EQ(failure.reason, "UnknownState");
}

TEST(Decide, DoesNotTouchWhatIsForeignNotEvenToErase) {
    auto desired = wanted("active");
    auto observed = shown(desired);
    observed.marker->instance = theirs;
    for (const auto* policy : {"report", "adopt", "prune"}) {
        EXPECT_EQ(refusal(desired, observed, policy).kind, FailureKind::foreign);
    }
    desired.present = false;
    EXPECT_EQ(refusal(desired, observed).reason, "ForeignInstance");
}

TEST(Decide, DoesNotGoBackBehindANewerGeneration) {
    const auto failure = refusal(wanted("active", 5), shown(wanted("suspended", 6)));
    EXPECT_EQ(failure.kind, FailureKind::superseded);
}

TEST(Decide, PublishesOverTheGenerationThatIsDisownedAndNoOther) {
    auto desired = wanted("suspended", 5);
    desired.reached_before = true;
    desired.disowned = 99;
    const auto plan = decide(desired, shown(wanted("active", 99)), ours, "report");
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan.value().actions, (std::vector<Action>{{Action::Kind::publish, "", ""}}));
    EXPECT_TRUE(plan.value().drifted);
    EXPECT_EQ(refusal(desired, shown(wanted("active", 98))).kind, FailureKind::superseded);
}

TEST(Decide, RefusesSettingsThatCannotBeRead) {
    auto desired = wanted("active");
    desired.settings = Json::parse("1e999", nullptr, false);
    EXPECT_EQ(refusal(desired, {}).reason, "SettingsUnreadable");
}

TEST(Decide, ShowsARestrictionWithoutSettingsThatCannotBeRead) {
    for (const auto* state : {"read_only", "suspended", "archived", "erasing"}) {
        auto desired = wanted(state);
        desired.settings = Json::parse("1e999", nullptr, false);
        const auto plan = decide(desired, shown(wanted("active", 4)), ours, "report");
        ASSERT_TRUE(plan.ok()) << state;
        EXPECT_EQ(plan.value().actions, (std::vector<Action>{{Action::Kind::publish, "", ""}}));
        ASSERT_TRUE(plan.value().flaw) << state;
        EXPECT_EQ(plan.value().flaw->reason, "SettingsUnreadable");
        auto bare = shown(desired);
        bare.settings = Json::object();
        const auto again = decide(desired, bare, ours, "report");
        EXPECT_TRUE(again.value().actions.empty() && again.value().flaw) << state;
    }
}

TEST(Decide, FollowsThePolicyWhereObjectsHaveNoMarker) {
    Observed observed;
    observed.has_objects = true;
    EXPECT_EQ(refusal(wanted("active"), observed, "report").reason, "UnknownObjects");
    EXPECT_EQ(refusal(wanted("active"), observed, "prune").reason, "UnknownObjects");
    EXPECT_EQ(steps(wanted("active"), observed, "adopt"), std::vector{publish});
}

TEST(Decide, RestoresALostMarkerOfATenantThatWasThere) {
    auto desired = wanted("active");
    desired.reached_before = true;
    Observed observed;
    observed.has_objects = true;
    const auto decided = decide(desired, observed, ours, "report");
    ASSERT_TRUE(decided.ok());
    EXPECT_EQ(decided.value().actions, std::vector{publish});
    EXPECT_TRUE(decided.value().drifted);
}

TEST(Decide, MakesANewTenantCompleteBeforeItIsShown) {
    auto desired = wanted("active");
    desired.templates = messages_template();
    const std::vector<Action> expected = {claim,
                                          {Kind::create_collection, "messages", ""},
                                          {Kind::create_index, "messages", "by_at"},
                                          {Kind::create_index, "messages", "by_text"},
                                          publish};
    EXPECT_EQ(steps(desired, {}), expected);
    // As after a crash behind the claim.
    Observed claimed;
    claimed.has_objects = true;
    claimed.marker = Marker{ours, 5, "provisioning"};
    EXPECT_EQ(steps(desired, claimed), std::vector(expected.begin() + 1, expected.end()));
}

TEST(Decide, ShowsARestrictionBeforeAnythingElse) {
    for (const auto* state : {"read_only", "suspended", "archived", "erasing"}) {
        auto desired = wanted(state);
        desired.templates = messages_template();
        const auto actions = steps(desired, {});
        ASSERT_EQ(actions.size(), 4U) << state;
        EXPECT_EQ(actions.front(), publish) << state;
    }
}

TEST(Decide, ShowsAChangeOfACompleteTenantBeforeItsCollections) {
    auto desired = wanted("active", 6);
    desired.templates = messages_template();
    auto observed = shown(wanted("suspended", 5));
    EXPECT_EQ(steps(desired, observed).front(), publish);
}

TEST(Decide, RepairsTheMarkerAndTheSettings) {
    const auto desired = wanted("active");
    auto observed = shown(desired);
    observed.settings = Json{{"limit", 11}};
    EXPECT_EQ(steps(desired, observed), std::vector{publish});
    observed.settings.reset();
    EXPECT_EQ(steps(desired, observed), std::vector{publish});
    observed = shown(desired);
    observed.marker->state = "suspended";
    EXPECT_EQ(steps(desired, observed), std::vector{publish});
    observed = shown(desired);
    observed.marker->generation = 4;
    EXPECT_EQ(steps(desired, observed), std::vector{publish});
}

class DecideCollections : public ::testing::Test {
protected:
    DecideCollections() {
        desired.templates = messages_template();
        observed = shown(desired);
    }
    CollectionTemplate& messages() { return observed.collections.at("messages"); }

    Desired desired = wanted("active");
    Observed observed;
};

TEST_F(DecideCollections, MakesAMissingOne) {
    observed.collections.clear();
    EXPECT_EQ(steps(desired, observed).front(), (Action{Kind::create_collection, "messages", ""}));
    EXPECT_EQ(steps(desired, observed).size(), 3U);
}

TEST_F(DecideCollections, SetsAChangedValidator) {
    const std::vector expected = {Action{Kind::set_validator, "messages", ""}};
    messages().validator = Json{{"text", {{"$type", "int"}}}};
    EXPECT_EQ(steps(desired, observed), expected);
    messages().validator.reset();
    EXPECT_EQ(steps(desired, observed), expected);
}

TEST_F(DecideCollections, MakesAMissingIndex) {
    messages().indexes.erase("by_text");
    EXPECT_EQ(steps(desired, observed),
              (std::vector{Action{Kind::create_index, "messages", "by_text"}}));
}

TEST_F(DecideCollections, SetsATtlInPlaceAndReplacesWhatElseDiffers) {
    messages().indexes.at("by_at").ttl_seconds = 61;
    EXPECT_EQ(steps(desired, observed), (std::vector{Action{Kind::set_ttl, "messages", "by_at"}}));
    messages().indexes.at("by_at").ttl_seconds.reset();
    EXPECT_EQ(steps(desired, observed),
              (std::vector{Action{Kind::replace_index, "messages", "by_at"}}));
    messages().indexes.at("by_at").ttl_seconds = 61;
    messages().indexes.at("by_at").unique = true;
    EXPECT_EQ(steps(desired, observed),
              (std::vector{Action{Kind::replace_index, "messages", "by_at"}}));
}

TEST_F(DecideCollections, RemovesWhatIsExtraOnlyWhenPruning) {
    messages().indexes.emplace("by_more", index_on("more"));
    observed.collections.emplace("notes", CollectionTemplate{"notes", {}, {}});
    EXPECT_TRUE(steps(desired, observed, "report").empty());
    EXPECT_TRUE(steps(desired, observed, "adopt").empty());
    EXPECT_EQ(steps(desired, observed, "prune"),
              (std::vector{Action{Kind::drop_index, "messages", "by_more"},
                           Action{Kind::prune_collection, "notes", ""}}));
}

TEST_F(DecideCollections, TellsDriftFromAChange) {
    desired.reached_before = true;
    messages().indexes.clear();
    EXPECT_TRUE(decide(desired, observed, ours, "report").value().drifted);
    observed.marker->generation = 4;
    EXPECT_FALSE(decide(desired, observed, ours, "report").value().drifted);
    desired.reached_before = false;
    EXPECT_FALSE(decide(desired, {}, ours, "report").value().drifted);
}

TEST(Lifecycle, LeadsFromKnownToKnownStates) {
    for (const auto& transition : lifecycle_transitions) {
        EXPECT_NE(find_state(transition.from), nullptr);
        EXPECT_NE(find_state(transition.to), nullptr);
    }
    EXPECT_EQ(find_state("unknown"), nullptr);
}

TEST(Lifecycle, PrintsTheWholeTable) {
    const auto table = Json::parse(print_lifecycle());
    EXPECT_EQ(table.at("states").size(), lifecycle_states.size());
    EXPECT_EQ(table.at("transitions").size(), lifecycle_transitions.size());
}

} // namespace
} // namespace tenancy::sidecar
