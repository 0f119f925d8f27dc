#include "protect/observer.hpp"

namespace tenancy::sidecar {
namespace {

constexpr const char* progress_query =
    "SELECT coalesce(p.phase || CASE WHEN p.blocks_total > 0 "
    "         THEN ', ' || p.blocks_done * 100 / p.blocks_total || ' %' "
    "         WHEN p.tuples_total > 0 "
    "         THEN ', ' || p.tuples_done * 100 / p.tuples_total || ' %' ELSE '' END, "
    "       CASE WHEN a.wait_event_type = 'Lock' THEN 'waiting for a lock' ELSE '' END) "
    "FROM pg_catalog.pg_stat_activity AS a "
    "LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.pid = a.pid "
    "WHERE a.pid = $1::integer";

} // namespace

std::string Observer::progress(const std::string& pid) {
    try {
        const Rows rows = connection_.execute(progress_query, {pid});
        return rows.rows.empty() ? "" : rows.rows.front().front().value_or("");
    } catch (const std::runtime_error&) {
        return "";
    }
}

bool Observer::cancel(const std::string& pid) {
    try {
        const Rows rows =
            connection_.execute("SELECT pg_catalog.pg_cancel_backend($1::integer)", {pid});
        return rows.rows.front().front() == "t";
    } catch (const std::runtime_error&) {
        return false;
    }
}

} // namespace tenancy::sidecar
