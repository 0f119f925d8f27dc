// The registry over SQL: one statement for each call, so that none leaves a transaction open.
#include "postgres/registry.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry_json.hpp"

namespace tenancy::sidecar {
namespace {

const std::string& text_at(const Rows& rows, std::size_t row, std::string_view column) {
    const auto& field = rows.at(row, column);
    if (!field) {
        throw std::runtime_error("PostgreSQL answered no " + std::string(column));
    }
    return *field;
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    const auto* const end = text.data() + text.size();
    if (const auto read = std::from_chars(text.data(), end, value);
        read.ec != std::errc() || read.ptr != end) {
        throw std::runtime_error("PostgreSQL answered \"" + text + "\" for a number");
    }
    return value;
}

std::int64_t number_at(const Rows& rows, std::size_t row, std::string_view column) {
    return number(text_at(rows, row, column));
}

bool flag_at(const Rows& rows, std::size_t row, std::string_view column) {
    return text_at(rows, row, column) == "t";
}

Uuid uuid_at(const Rows& rows, std::size_t row, std::string_view column) {
    const auto uuid = parse_uuid(text_at(rows, row, column));
    if (!uuid) {
        throw std::runtime_error("PostgreSQL answered no uuid for " + std::string(column));
    }
    return *uuid;
}

std::string interval(Milliseconds length) {
    return std::to_string(length.count()) + " milliseconds";
}

// An array's text form; none of the elements needs quotes.
template <typename T, typename Print>
std::string array(const std::vector<T>& elements, Print&& print) {
    std::string text = "{";
    for (const auto& element : elements) {
        text += (text.size() == 1 ? "" : ",") + print(element);
    }
    return text + "}";
}

std::string tokens_array(const std::vector<std::int64_t>& tokens) {
    return array(tokens, [](std::int64_t token) { return std::to_string(token); });
}

Desired desired_at(const Rows& rows, std::size_t row, const StoreDefinition& store) {
    Desired desired;
    desired.tenant = uuid_at(rows, row, "tenant_id");
    desired.state = text_at(rows, row, "state");
    desired.present = flag_at(rows, row, "present");
    desired.generation = number_at(rows, row, "generation");
    desired.store_generation = number_at(rows, row, "store_generation");
    desired.reached_before = flag_at(rows, row, "reached_before");
    if (const auto& settings = rows.at(row, "settings")) {
        desired.settings = Json::parse(*settings, nullptr, false);
    }
    desired.templates = store.templates;
    return desired;
}

StoreDefinition definition_at(const Rows& rows, std::size_t row) {
    StoreDefinition definition;
    definition.name = text_at(rows, row, "name");
    definition.kind = text_at(rows, row, "kind");
    definition.required_for =
        Json::parse(text_at(rows, row, "required_for")).get<std::vector<std::string>>();
    definition.unknown_objects = text_at(rows, row, "unknown_objects");
    definition.on_missing_stamp = text_at(rows, row, "on_missing_stamp");
    definition.options = Json::parse(text_at(rows, row, "options"));
    definition.generation = number_at(rows, row, "generation");
    definition.templates = read_templates(Json::parse(text_at(rows, row, "collections")));
    definition.stamped = flag_at(rows, row, "stamped");
    return definition;
}

InstanceIdentity identity_at(const Rows& rows) {
    InstanceIdentity identity;
    identity.bound = flag_at(rows, 0, "bound");
    identity.live_system_identifier = text_at(rows, 0, "live_system_identifier");
    identity.live_database_oid = text_at(rows, 0, "live_database_oid");
    identity.live_timeline = number_at(rows, 0, "live_timeline");
    identity.in_recovery = flag_at(rows, 0, "in_recovery");
    if (identity.bound) {
        identity.id = uuid_at(rows, 0, "id");
        identity.epoch = number_at(rows, 0, "epoch");
        identity.tick = number_at(rows, 0, "tick");
        identity.bound_system_identifier = text_at(rows, 0, "bound_system_identifier");
        identity.bound_database_oid = text_at(rows, 0, "bound_database_oid");
        identity.bound_timeline = number_at(rows, 0, "bound_timeline");
    }
    return identity;
}

class PostgresRegistry : public Registry {
public:
    PostgresRegistry(const PostgresConfig& config, std::string daemon)
        : connection_(config, config.conninfo, "tenancyd"), daemon_(std::move(daemon)) {}

    void serve(const std::optional<Uuid>& instance) override {
        if (served_ == instance) {
            return;
        }
        served_ = instance;
        if (instance) {
            connection_.open_with("SELECT tenancy.require_instance($1::uuid)",
                                  {print_uuid(*instance)});
        } else {
            connection_.open_with("", {});
        }
    }

    InstanceIdentity identity() override {
        return identity_at(connection_.execute("SELECT * FROM tenancy.instance_identity()"));
    }

    Binding bind(const std::string& role) override {
        const auto rows =
            connection_.execute("SELECT * FROM tenancy.bind_instance($1::text)", {role});
        return {uuid_at(rows, 0, "id"), number_at(rows, 0, "epoch")};
    }

    std::int64_t tick(std::int64_t epoch) override {
        const auto rows =
            connection_.execute("SELECT tenancy.tick_instance($1, $2, $3::bigint) AS tick",
                                {daemon_, std::string(version), std::to_string(epoch)});
        return number_at(rows, 0, "tick");
    }

    std::vector<StoreDefinition> stores() override {
        const auto rows = connection_.execute(
            "SELECT name, kind, to_jsonb(required_for) AS required_for, unknown_objects, "
            "on_missing_stamp, options, generation, collections, stamped "
            "FROM tenancy.daemon_stores()");
        std::vector<StoreDefinition> definitions;
        definitions.reserve(rows.rows.size());
        for (std::size_t row = 0; row < rows.rows.size(); ++row) {
            definitions.push_back(definition_at(rows, row));
        }
        return definitions;
    }

    void report_store(std::int64_t epoch, const std::string& store,
                      const StoreHealth& health) override {
        connection_.execute(
            "SELECT tenancy.report_store($1, $2::bigint, $3, $4::jsonb)",
            {daemon_, std::to_string(epoch), store, to_jsonb(health_to_json(health))});
    }

    std::vector<Claim> claim(std::int64_t epoch, const StoreDefinition& store, Task task,
                             unsigned most, Milliseconds lease) override {
        const auto rows = connection_.execute(
            "SELECT * FROM tenancy.claim_work($1, $2::bigint, $3, $4::integer, $5::interval, "
            "$6::boolean)",
            {daemon_, std::to_string(epoch), store.name, std::to_string(most), interval(lease),
             task == Task::erase ? "true" : "false"});
        std::vector<Claim> claims;
        claims.reserve(rows.rows.size());
        for (std::size_t row = 0; row < rows.rows.size(); ++row) {
            claims.push_back({desired_at(rows, row, store), number_at(rows, row, "token"),
                              number_at(rows, row, "attempts")});
        }
        return claims;
    }

    std::vector<std::int64_t> extend(const std::string& store,
                                     const std::vector<std::int64_t>& tokens,
                                     Milliseconds lease) override {
        const auto rows = connection_.execute(
            "SELECT to_jsonb(tenancy.extend_leases($1, $2, $3::bigint[], $4::interval)) AS held",
            {daemon_, store, tokens_array(tokens), interval(lease)});
        return Json::parse(text_at(rows, 0, "held")).get<std::vector<std::int64_t>>();
    }

    void release(const std::string& store, const std::vector<std::int64_t>& tokens) override {
        connection_.execute("SELECT tenancy.release_work($1, $2, $3::bigint[])",
                            {daemon_, store, tokens_array(tokens)});
    }

    std::vector<bool> report(std::int64_t epoch, const std::string& store,
                             const std::vector<Report>& reports) override {
        const auto rows = connection_.execute(
            "SELECT token, accepted FROM tenancy.report_work($1, $2::bigint, $3, $4::jsonb)",
            {daemon_, std::to_string(epoch), store, to_jsonb(reports_to_json(reports))});
        std::map<std::int64_t, bool> accepted;
        for (std::size_t row = 0; row < rows.rows.size(); ++row) {
            accepted[number_at(rows, row, "token")] = flag_at(rows, row, "accepted");
        }
        std::vector<bool> answers;
        answers.reserve(reports.size());
        for (const auto& report : reports) {
            answers.push_back(accepted[report.token]);
        }
        return answers;
    }

    std::vector<Desired> desired_after(const StoreDefinition& store,
                                       const std::optional<Uuid>& after, unsigned most) override {
        const auto rows = connection_.execute(
            "SELECT * FROM tenancy.desired_page($1, $2::uuid, $3::integer)",
            {store.name, after ? Field(print_uuid(*after)) : Field(), std::to_string(most)});
        std::vector<Desired> page;
        page.reserve(rows.rows.size());
        for (std::size_t row = 0; row < rows.rows.size(); ++row) {
            page.push_back(desired_at(rows, row, store));
        }
        return page;
    }

    void request_repair(std::int64_t epoch, const std::string& store,
                        const std::vector<Uuid>& tenants) override {
        connection_.execute("SELECT tenancy.request_repair($1, $2::bigint, $3, $4::uuid[])",
                            {daemon_, std::to_string(epoch), store, array(tenants, print_uuid)});
    }

    void report_unknown(std::int64_t epoch, const std::string& store, const std::string& scan,
                        const std::vector<UnknownObject>& objects, bool complete,
                        std::int64_t tenants, std::int64_t differing) override {
        connection_.execute("SELECT tenancy.report_unknown($1, $2::bigint, $3, $4, $5::jsonb, "
                            "$6::boolean, $7::bigint, $8::bigint)",
                            {daemon_, std::to_string(epoch), store, scan,
                             to_jsonb(unknown_to_json(objects)), complete ? "true" : "false",
                             std::to_string(tenants), std::to_string(differing)});
    }

    void run_schedule() override { connection_.execute("SELECT tenancy.run_schedule()"); }

    std::vector<StoreLag> lags() override {
        const auto rows =
            connection_.execute("SELECT store, due, seconds FROM tenancy.store_lag()");
        std::vector<StoreLag> lags;
        lags.reserve(rows.rows.size());
        for (std::size_t row = 0; row < rows.rows.size(); ++row) {
            lags.push_back({text_at(rows, row, "store"), number_at(rows, row, "due"),
                            std::stod(text_at(rows, row, "seconds"))});
        }
        return lags;
    }

private:
    Connection connection_;
    const std::string daemon_;
    std::optional<Uuid> served_;
};

} // namespace

std::unique_ptr<Registry> make_registry(const PostgresConfig& config, const std::string& daemon) {
    return std::make_unique<PostgresRegistry>(config, daemon);
}

} // namespace tenancy::sidecar
