#include "redis/publication.hpp"

#include <charconv>
#include <string>

#include <nlohmann/json.hpp>

#include "base/failpoint.hpp"
#include "redis/keys.hpp"
#include "redis/refusal.hpp"
#include "redis/scan.hpp"
#include "redis/sweep.hpp"

namespace tenancy::sidecar::redis {
namespace {

Failure foreign() {
    return {FailureKind::foreign, "ForeignInstance",
            "the tenant's keys bear the marker of another instance"};
}

std::optional<std::int64_t> parse_integer(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
        return std::nullopt;
    }
    return value;
}

std::optional<Marker> marker_of(const std::vector<Reply>& fields) {
    const auto instance = parse_uuid(text_of("the script", fields[3]));
    const auto generation = parse_integer(text_of("the script", fields[4]));
    if (!instance || !generation) {
        return std::nullopt;
    }
    return Marker{*instance, *generation, text_of("the script", fields[5])};
}

// Nothing where a value is no JSON: then they differ from any that are wanted.
std::optional<JsonValue> settings_of(const std::vector<Reply>& fields) {
    Json settings = Json::object();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        Json value = Json::parse(text_of("the script", fields[i + 1]), nullptr, false);
        if (value.is_discarded()) {
            return std::nullopt;
        }
        settings[text_of("the script", fields[i])] = std::move(value);
    }
    return settings;
}

Result<Observed> observed_of(const Reply& reply) {
    if (reply.is_error()) {
        throw_if_unavailable(reply);
        return failure_of(reply.text);
    }
    const auto& fields = array_of("the script", reply, 7);
    Observed observed;
    observed.has_objects = integer_of("the script", fields[0]) != 0;
    if (integer_of("the script", fields[1]) != 0) {
        observed.marker = marker_of(fields);
    }
    // A hash without fields does not exist: beside a marker no key stands for no settings.
    const auto& settings = array_of("the script", fields[6]);
    if (integer_of("the script", fields[2]) != 0 && (observed.marker || !settings.empty())) {
        observed.settings = settings_of(settings);
    }
    return observed;
}

Call read_call(const Uuid& tenant) {
    return {&read_script(), {marker_key(tenant), setting_key(tenant)}, {}};
}

std::vector<std::string> fields_of(const std::optional<Stamp>& stamp) {
    if (!stamp) {
        return {"", "", "", ""};
    }
    return {print_uuid(stamp->instance), stamp->store, std::to_string(stamp->epoch),
            std::to_string(stamp->tick)};
}

Words stamp_words() {
    return {"HMGET", std::string(stamp_key), "instance", "store", "epoch", "tick"};
}

std::optional<Stamp> stamp_in(const Reply& reply) {
    const Unavailable unreadable("StampUnreadable", "the key " + std::string(stamp_key) +
                                                        " holds no stamp: see what wrote it");
    if (reply.is_error() && code_of(reply.text) == "WRONGTYPE") {
        throw Unavailable(unreadable);
    }
    const auto& fields = array_of("HMGET", reply, 4);
    if (std::ranges::all_of(fields,
                            [](const Reply& each) { return each.type == Reply::Type::nil; })) {
        return std::nullopt;
    }
    const auto instance = parse_uuid(fields[0].text);
    const std::string& store = fields[1].text;
    const auto epoch = parse_integer(fields[2].text);
    const auto tick = parse_integer(fields[3].text);
    if (!instance || store.empty() || !epoch || !tick) {
        throw Unavailable(unreadable);
    }
    return Stamp{*instance, store, *epoch, *tick};
}

std::optional<Failure> failure_in(const Reply& reply) {
    if (reply.is_error()) {
        return failure_of(reply.text);
    }
    const auto& parts = array_of("the script", reply, 1);
    const std::string& word = text_of("the script", parts[0]);
    if (word == "foreign") {
        return foreign();
    }
    if (word == "superseded") {
        const std::string newer =
            parts.size() > 1 ? text_of("the script", parts[1]) : "a newer one";
        return Failure{FailureKind::superseded, "Superseded",
                       "the store holds generation " + newer + " already"};
    }
    if (word != "done") {
        throw_unexpected("the script", reply);
    }
    return std::nullopt;
}

std::string failpoint_name(Action::Kind kind, const char* when) {
    return "redis." + std::string(name_of(kind)) + "." + when;
}

} // namespace

std::optional<Stamp> read_stamp(Nodes& nodes, Deadline deadline) {
    const Command command{std::string(stamp_key), stamp_words()};
    return stamp_in(nodes.run(std::span(&command, 1), deadline).front());
}

std::optional<Stamp> read_server_stamp(Nodes& nodes, std::int64_t own_database, Deadline deadline) {
    auto own = read_stamp(nodes, deadline);
    const Words words = stamp_words();
    for (const Address& node : nodes.layout(deadline).primaries) {
        for (const std::int64_t database : databases_at(nodes, node, deadline)) {
            if (database == own_database) {
                continue;
            }
            const auto replies = nodes.run_at(node, database, std::span(&words, 1), deadline);
            auto found = stamp_in(replies.front());
            if (found) {
                found->elsewhere = true;
            }
            if (found && (!own || found->instance != own->instance || found->store != own->store)) {
                return found;
            }
        }
    }
    return own;
}

bool write_stamp(Nodes& nodes, const Stamp& stamp, const std::optional<Stamp>& expected,
                 Deadline deadline) {
    Call call{&stamp_script(), {std::string(stamp_key)}, fields_of(expected)};
    for (std::string& field : fields_of(stamp)) {
        call.arguments.push_back(std::move(field));
    }
    const auto replies = redis::call(nodes, std::span(&call, 1), deadline);
    return integer_of("the script", replies.front()) == 1;
}

std::vector<Result<Observed>> read_tenants(Nodes& nodes, std::span<const Desired> tenants,
                                           Deadline deadline) {
    std::vector<Call> calls;
    for (const Desired& each : tenants) {
        calls.push_back(read_call(each.tenant));
    }
    std::vector<Result<Observed>> results;
    for (const Reply& reply : call(nodes, calls, deadline)) {
        results.push_back(observed_of(reply));
    }
    return results;
}

Application::Application(Nodes& nodes, std::span<const Work> work, const Uuid& instance,
                         const std::function<bool()>& alive, Deadline deadline)
    : nodes_(nodes), work_(work), instance_(instance), alive_(alive), deadline_(deadline),
      outcomes_(work.size()) {}

std::vector<Outcome> Application::run() {
    for (std::size_t step = 0;; step++) {
        Places publishing;
        Places erasing;
        Places others;
        for (std::size_t i = 0; i < work_.size(); i++) {
            if (outcomes_[i].failure || step >= work_[i].actions.size()) {
                continue;
            }
            const auto kind = work_[i].actions[step].kind;
            const bool publish = kind == Action::Kind::publish || kind == Action::Kind::claim;
            (publish ? publishing : kind == Action::Kind::erase ? erasing : others).push_back(i);
        }
        if (publishing.empty() && erasing.empty() && others.empty()) {
            return std::move(outcomes_);
        }
        refuse(others, step);
        // What cuts a tenant off does not wait for another's erasing.
        publish(publishing, step);
        erase(erasing);
    }
}

void Application::note(std::size_t place, std::optional<Failure> failure) {
    outcomes_[place].actions_done += failure ? 0 : 1;
    outcomes_[place].failure = std::move(failure);
}

void Application::refuse(const Places& places, std::size_t step) {
    for (const std::size_t place : places) {
        note(place, Failure{FailureKind::permanent, "NotForRedis",
                            std::string(name_of(work_[place].actions[step].kind)) +
                                " means nothing in Redis"});
    }
}

Call Application::publish_call(const Work& work, Action::Kind kind) const {
    const Desired& desired = *work.desired;
    const bool claim = kind == Action::Kind::claim;
    const std::string state = claim ? "provisioning" : desired.state;
    Call call;
    // What takes something away is published to a full server, too.
    call.script = restricts(state) ? &restrict_script() : &publish_script();
    call.keys = {marker_key(desired.tenant), setting_key(desired.tenant)};
    call.arguments = {print_uuid(instance_),
                      std::to_string(desired.generation),
                      state,
                      channel_of(desired.tenant),
                      claim ? "claim" : "publish",
                      desired.disowned ? std::to_string(*desired.disowned) : ""};
    if (!claim) {
        for (const auto& [key, value] : desired.settings->items()) {
            call.arguments.push_back(key);
            call.arguments.push_back(value.dump());
        }
    }
    return call;
}

void Application::publish(const Places& places, std::size_t step) {
    if (places.empty()) {
        return;
    }
    if (!alive_()) {
        for (const std::size_t place : places) {
            note(place, Failure{FailureKind::transient, "LeaseLost",
                                "another daemon may have the tenant now"});
        }
        return;
    }
    std::vector<Call> calls;
    for (const std::size_t place : places) {
        const auto kind = work_[place].actions[step].kind;
        failpoint(failpoint_name(kind, "before"));
        calls.push_back(publish_call(work_[place], kind));
    }
    const auto replies = call(nodes_, calls, deadline_);
    for (std::size_t i = 0; i < places.size(); i++) {
        failpoint(failpoint_name(work_[places[i]].actions[step].kind, "after"));
        note(places[i], failure_in(replies[i]));
    }
}

// A tenant id is one in the world: keys that another instance has marked are those of another copy
// of this database, and not for this one to erase.
Application::Places Application::without_foreign(const Places& places) {
    std::vector<Command> commands;
    for (const std::size_t place : places) {
        // One key alone: it is found while its slot is being moved, too.
        const std::string key = marker_key(work_[place].desired->tenant);
        commands.push_back({key, {"HGET", key, "instance"}});
    }
    const auto replies = nodes_.run(commands, deadline_);
    Places own;
    for (std::size_t i = 0; i < places.size(); i++) {
        if (replies[i].is_error() && code_of(replies[i].text) != "WRONGTYPE") {
            note(places[i], failure_of(replies[i].text));
        } else if (const auto owner = parse_uuid(replies[i].text); owner && *owner != instance_) {
            note(places[i], foreign());
        } else {
            own.push_back(places[i]);
        }
    }
    return own;
}

void Application::erase(const Places& places) {
    const Places own = places.empty() ? places : without_foreign(places);
    if (own.empty()) {
        return;
    }
    std::vector<Uuid> tenants;
    std::vector<std::string> prefixes;
    for (const std::size_t place : own) {
        tenants.push_back(work_[place].desired->tenant);
        prefixes.push_back(prefix_of(tenants.back()));
        failpoint("redis.erase.before");
    }
    auto failures =
        Sweep(nodes_, std::move(prefixes), pattern_for(tenants), alive_, deadline_).erase();
    for (std::size_t i = 0; i < own.size(); i++) {
        failpoint("redis.erase.after");
        note(own[i], std::move(failures[i]));
    }
}

} // namespace tenancy::sidecar::redis
