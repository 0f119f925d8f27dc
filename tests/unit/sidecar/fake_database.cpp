#include "fake_database.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace tenancy::sidecar {
namespace {

class FakeRegistry : public Registry {
public:
    explicit FakeRegistry(std::shared_ptr<FakeDatabase> database) : db_(std::move(database)) {}

    void serve(const std::optional<Uuid>& instance) override { served_ = instance; }

    InstanceIdentity identity() override {
        const auto lock = begin("identity");
        return db_->identity;
    }

    Binding bind(const std::string& role) override {
        const auto lock = begin("bind");
        auto& identity = db_->identity;
        if ((role == "new") == identity.bound) {
            throw SqlError("55000", "the instance is bound already or not yet", "", "");
        }
        identity.epoch = role == "replacement" ? identity.epoch + 1 : 1;
        identity.tick = role == "replacement" ? identity.tick : 0;
        if (role != "replacement") {
            identity.id.bytes[0] = static_cast<std::uint8_t>(identity.id.bytes[0] + 101);
        }
        identity.bound = true;
        identity.bound_system_identifier = identity.live_system_identifier;
        identity.bound_database_oid = identity.live_database_oid;
        identity.bound_timeline = identity.live_timeline;
        return {identity.id, identity.epoch};
    }

    std::int64_t tick(std::int64_t epoch) override {
        const auto lock = begin("tick");
        check(epoch);
        return ++db_->identity.tick;
    }

    std::vector<StoreDefinition> stores() override {
        const auto lock = begin("stores");
        return {db_->definition};
    }

    void report_store(std::int64_t epoch, const std::string&, const StoreHealth& health) override {
        const auto lock = begin("report_store");
        check(epoch);
        db_->health.push_back(health);
        db_->definition.stamped = db_->definition.stamped || health.stamped;
    }

    std::vector<Claim> claim(std::int64_t epoch, const StoreDefinition& store, Task task,
                             unsigned most, Milliseconds) override {
        const auto lock = begin("claim");
        check(epoch);
        std::vector<Claim> claims;
        for (auto& [id, row] : db_->rows) {
            const bool asked = db_->tenants.at(id).present == (task == Task::keep);
            if (asked && claims.size() < most && row.due && !row.parked && row.token == 0) {
                row.token = ++db_->last_token;
                row.due = false;
                claims.push_back({desired(id, store), row.token, row.attempts});
            }
        }
        return claims;
    }

    std::vector<std::int64_t> extend(const std::string&, const std::vector<std::int64_t>& tokens,
                                     Milliseconds) override {
        const auto lock = begin("extend");
        std::vector<std::int64_t> held;
        for (const auto& [id, row] : db_->rows) {
            if (row.token != 0 &&
                std::find(tokens.begin(), tokens.end(), row.token) != tokens.end()) {
                held.push_back(row.token);
            }
        }
        return held;
    }

    void release(const std::string&, const std::vector<std::int64_t>& tokens) override {
        const auto lock = begin("release");
        for (auto& [id, row] : db_->rows) {
            if (row.token != 0 &&
                std::find(tokens.begin(), tokens.end(), row.token) != tokens.end()) {
                row.token = 0;
                row.due = true;
            }
        }
    }

    std::vector<bool> report(std::int64_t epoch, const std::string&,
                             const std::vector<Report>& reports) override {
        const auto lock = begin("report");
        check(epoch);
        std::vector<bool> accepted;
        for (const auto& report : reports) {
            accepted.push_back(accept(report));
        }
        return accepted;
    }

    std::vector<Desired> desired_after(const StoreDefinition& store,
                                       const std::optional<Uuid>& after, unsigned most) override {
        const auto lock = begin("desired_after");
        std::vector<Desired> page;
        for (const auto& [id, row] : db_->rows) {
            if (after && id.bytes <= after->bytes) {
                continue;
            }
            if (page.size() == std::min(most, db_->longest_page)) {
                break;
            }
            page.push_back(desired(id, store));
        }
        return page;
    }

    void request_repair(std::int64_t epoch, const std::string&,
                        const std::vector<Uuid>& tenants) override {
        const auto lock = begin("request_repair");
        check(epoch);
        for (const auto& id : tenants) {
            auto& row = db_->rows.at(id);
            row.due = row.due || (!row.parked && row.token == 0);
        }
    }

    void report_unknown(std::int64_t epoch, const std::string&, const std::string&,
                        const std::vector<UnknownObject>& objects, bool, std::int64_t,
                        std::int64_t) override {
        const auto lock = begin("report_unknown");
        check(epoch);
        for (const auto& unknown : objects) {
            if (unknown.object.name == db_->unfit) {
                throw SqlError("54000", "refused by the test", "", "");
            }
        }
        for (const auto& unknown : objects) {
            db_->unknown[unknown.object.name] = unknown;
        }
    }

    void run_schedule() override {
        const auto lock = begin("run_schedule");
        ++db_->schedules;
    }

    std::vector<StoreLag> lags() override {
        const auto lock = begin("lags");
        return {{db_->definition.name, db_->lag_due, db_->lag_seconds}};
    }

private:
    std::unique_lock<std::mutex> begin(std::string_view call) {
        std::unique_lock lock(db_->mutex);
        const auto before = db_->before; // a copy: it may put another in its place
        before(call);
        if (served_ && !(db_->identity.matches() && db_->identity.id == *served_)) {
            throw SqlError("TN026", "another instance", "", "");
        }
        return lock;
    }

    void check(std::int64_t epoch) const {
        if (!db_->identity.matches() || db_->identity.epoch != epoch) {
            throw SqlError("TN026", "not the instance", "", "");
        }
    }

    Desired desired(const Uuid& id, const StoreDefinition& store) const {
        const auto& tenant = db_->tenants.at(id);
        const auto& row = db_->rows.at(id);
        Desired desired;
        desired.tenant = id;
        desired.state = tenant.state;
        desired.present = tenant.present;
        desired.generation = tenant.generation;
        desired.store_generation = db_->definition.generation;
        desired.reached_before = row.observed > 0 && row.present;
        desired.settings = tenant.settings;
        desired.templates = store.templates;
        return desired;
    }

    bool accept(const Report& report) {
        auto& row = db_->rows.at(report.tenant);
        if (row.token != report.token) {
            row.due = row.due || row.token == 0;
            return false;
        }
        row.token = 0;
        const bool behind = db_->tenants.at(report.tenant).generation > report.generation ||
                            db_->definition.generation > report.store_generation;
        row.due = row.due || behind || report.outcome == Report::Outcome::retry;
        row.reason = report.reason;
        row.state = report.state.empty() ? row.state : report.state;
        if (report.outcome == Report::Outcome::converged) {
            row.observed = report.generation;
            row.observed_store_generation = report.store_generation;
            row.present = report.present;
            row.attempts = 0;
            row.proofs += report.present ? 0 : 1;
            return true;
        }
        row.attempts = behind ? 0 : row.attempts + 1;
        row.parked = !behind && report.outcome == Report::Outcome::parked;
        return true;
    }

    const std::shared_ptr<FakeDatabase> db_;
    std::optional<Uuid> served_;
};

} // namespace

std::unique_ptr<Registry> fake_registry(std::shared_ptr<FakeDatabase> database) {
    return std::make_unique<FakeRegistry>(std::move(database));
}

} // namespace tenancy::sidecar
