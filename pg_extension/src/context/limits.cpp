// See limits.hpp.
#include "context/limits.hpp"

#include <cstdlib>

#include "context/registry.hpp"

namespace tenancy::context::limits {

namespace {

struct Limit {
    char name[NAMEDATALEN];
    char text[NAMEDATALEN]; // as tenancy.define_tier wrote it: "30s", "64MB"
    double cap;             // in the setting's own unit
};

// The caps of one tier, as last read.
constexpr int most_limits = 32;
struct Tier {
    char name[slug_size];
    uint64 epoch;
    int count;
    Limit limits[most_limits];
};
constinit Tier tier{};
constinit bool applied = false;

double present_value(const char* name) {
    const char* value = GetConfigOption(name, true, false);
    return value == nullptr ? 0 : strtod(value, nullptr);
}

// What a cap such as "64MB" is in the setting's own unit: the server reads it.
double units_of(const char* name, const char* text) {
    const int level = NewGUCNestLevel();
    (void)set_config_option(name, text, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                            false);
    const double units = present_value(name);
    AtEOXact_GUC(false, level);
    return units;
}

bool ends_in_timeout(const char* name) {
    constexpr const char* suffix = "_timeout";
    const size_t length = strlen(name);
    return length > strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0;
}

// Zero switches a timeout off, and -1 most other limits.
bool exceeds(const Limit& limit) {
    const double value = present_value(limit.name);
    return value > limit.cap || value < 0 || (value == 0 && ends_in_timeout(limit.name));
}

void take(const JsonbValue& key, const JsonbValue& value) {
    if (tier.count == most_limits || value.type != jbvString)
        return;
    Limit& limit = tier.limits[tier.count];
    strlcpy(limit.name, pnstrdup(key.val.string.val, key.val.string.len), sizeof limit.name);
    strlcpy(limit.text, pnstrdup(value.val.string.val, value.val.string.len), sizeof limit.text);
    limit.cap = units_of(limit.name, limit.text);
    tier.count++;
}

void read(const char* name) {
    const uint64 epoch = registry::epoch();
    Jsonb* limits = registry::tier_limits(name);
    tier.count = 0;
    tier.name[0] = '\0'; // until all caps are read
    if (limits != nullptr) {
        JsonbIterator* iterator = JsonbIteratorInit(&limits->root);
        JsonbValue key;
        JsonbValue value;
        JsonbIteratorToken token;
        while ((token = JsonbIteratorNext(&iterator, &key, false)) != WJB_DONE) {
            if (token != WJB_KEY)
                continue;
            (void)JsonbIteratorNext(&iterator, &value, true);
            take(key, value);
        }
    }
    strlcpy(tier.name, name, sizeof tier.name);
    tier.epoch = epoch;
}

void lower(const Limit& limit) {
    (void)set_config_option(limit.name, limit.text, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
                            true, 0, false);
    // The server armed the statement's timer before it knew of this cap.
    if (strcmp(limit.name, "statement_timeout") == 0)
        enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
}

} // namespace

void apply(const Context& context) {
    applied = false;
    if (context.kind != Kind::tenant)
        return;
    if (tier.epoch != registry::epoch() || strcmp(tier.name, context.tier) != 0)
        read(context.tier);
    for (int i = 0; i < tier.count; i++)
        if (exceeds(tier.limits[i]))
            lower(tier.limits[i]);
    applied = tier.count > 0;
}

void check() {
    if (likely(!applied))
        return;
    for (int i = 0; i < tier.count; i++)
        if (exceeds(tier.limits[i]))
            ereport(ERROR,
                    (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                     errmsg("\"%s\" exceeds the cap of the tenant's tier", tier.limits[i].name),
                     errdetail("The cap is %s.", tier.limits[i].text),
                     errhint("Roll the transaction back and set it lower.")));
}

void forget() {
    applied = false;
}

} // namespace tenancy::context::limits
