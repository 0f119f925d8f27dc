// Every SQLSTATE of class TN, once. tenancy.error_code holds the same list for SQL and for the
// docs; a test compares the two. Where PostgreSQL has a code of its own, that one is used.
#pragma once

namespace tenancy::sqlstate {

inline constexpr const char* no_tenant_context = "TN001";
inline constexpr const char* context_already_set = "TN002";
inline constexpr const char* context_changed = "TN003";
inline constexpr const char* tenant_unknown = "TN004";
inline constexpr const char* tenant_unavailable = "TN005";
inline constexpr const char* token_invalid = "TN006";
inline constexpr const char* token_expired = "TN007";
inline constexpr const char* not_preloaded = "TN008";
inline constexpr const char* entry_refused = "TN009";
inline constexpr const char* illegal_transition = "TN010";
inline constexpr const char* name_malformed = "TN011";
inline constexpr const char* name_taken = "TN012";
inline constexpr const char* name_retired = "TN013";
inline constexpr const char* setting_invalid = "TN014";
inline constexpr const char* setting_unknown = "TN015";
inline constexpr const char* concurrent_change = "TN016";
inline constexpr const char* onboarding_incomplete = "TN017";
inline constexpr const char* protection_violated = "TN018";
inline constexpr const char* default_in_rewrite = "TN019";
inline constexpr const char* erasure_incomplete = "TN020";
inline constexpr const char* session_not_clean = "TN021";
inline constexpr const char* all_tenants_required = "TN022";
inline constexpr const char* tenant_not_drained = "TN023";
inline constexpr const char* schedule_invalid = "TN024";
inline constexpr const char* stores_not_converged = "TN025";
inline constexpr const char* instance_fenced = "TN026";
inline constexpr const char* store_unknown = "TN027";
inline constexpr const char* store_invalid = "TN028";

// PostgreSQL's own, where core raises them.
inline constexpr const char* invalid_parameter = "22023";
inline constexpr const char* out_of_memory = "53200";
inline constexpr const char* internal_error = "XX000";

} // namespace tenancy::sqlstate
