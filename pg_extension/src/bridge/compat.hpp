// What differs between PostgreSQL 15 and 18, in one place. Code elsewhere tests no version.
#pragma once

#include "bridge/postgres.hpp"

// One more parameter or argument of ExecutorRun, before 18: whether it runs to the end at once.
#if PG_VERSION_NUM >= 180000
#define BEFORE_18(parameter)
#else
#define BEFORE_18(parameter) , parameter
#endif

// One more parameter or argument of ExecutorCheckPerms_hook, from 16 on: the permissions asked for.
#if PG_VERSION_NUM >= 160000
#define FROM_16(parameter) parameter,
#else
#define FROM_16(parameter)
#endif

namespace tenancy::compat {

// Whether this backend is still being set up: no command of its client has been read yet.
inline bool backend_is_starting() {
#if PG_VERSION_NUM >= 180000
    return MyBEEntry == nullptr || MyBEEntry->st_procpid == 0 ||
           MyBEEntry->st_state == STATE_STARTING;
#else
    return MyBEEntry == nullptr || MyBEEntry->st_procpid == 0;
#endif
}

// expression_tree_walker and expression_tree_mutator, which before 16 took functions without
// parameters, as C then understood them.
inline bool walk_expression(Node* node, bool (*visit)(Node*, void*), void* argument) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_walker(node, visit, argument);
#else
    auto* untyped = reinterpret_cast<void (*)()>(visit);
    return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), argument);
#endif
}

inline Node* change_expression(Node* node, Node* (*change)(Node*, void*), void* argument) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_mutator(node, change, argument);
#else
    auto* untyped = reinterpret_cast<void (*)()>(change);
    return expression_tree_mutator(node, reinterpret_cast<Node* (*)()>(untyped), argument);
#endif
}

inline bool walk_query(Query* query, bool (*visit)(Node*, void*), void* argument, int flags = 0) {
#if PG_VERSION_NUM >= 160000
    return query_tree_walker(query, visit, argument, flags);
#else
    auto* untyped = reinterpret_cast<void (*)()>(visit);
    return query_tree_walker(query, reinterpret_cast<bool (*)()>(untyped), argument, flags);
#endif
}

// Whether a sub-select in FROM was written there, and is no view. Before 16 a view's query still
// names the view itself, for its rules' OLD and NEW.
inline bool is_written(const RangeTblEntry* entry) {
#if PG_VERSION_NUM >= 160000
    return !OidIsValid(entry->relid);
#else
    ListCell* cell;
    foreach (cell, entry->subquery->rtable)
        if (lfirst_node(RangeTblEntry, cell)->relkind == RELKIND_VIEW)
            return false;
    return true;
#endif
}

// Whether the relation has columns that stand for expressions, which the planner puts in.
inline bool computes_columns([[maybe_unused]] Oid relation_id) {
#if PG_VERSION_NUM >= 180000
    Relation relation = table_open(relation_id, NoLock); // locked since the statement was parsed
    const TupleConstr* constraints = RelationGetDescr(relation)->constr;
    const bool found = constraints != nullptr && constraints->has_generated_virtual;
    table_close(relation, NoLock);
    return found;
#else
    return false;
#endif
}

// The user whose rights decide over a range table entry, InvalidOid for the current user.
inline Oid checked_user(const PlannedStmt* statement, const RangeTblEntry* entry) {
#if PG_VERSION_NUM >= 160000
    if (entry->perminfoindex == 0)
        return InvalidOid;
    auto* info = static_cast<RTEPermissionInfo*>(
        list_nth(statement->permInfos, static_cast<int>(entry->perminfoindex) - 1));
    return info->checkAsUser;
#else
    (void)statement;
    return entry->checkAsUser;
#endif
}

inline Oid checked_user(const Query* query, const RangeTblEntry* entry) {
#if PG_VERSION_NUM >= 160000
    if (entry->perminfoindex == 0)
        return InvalidOid;
    return getRTEPermissionInfo(query->rteperminfos, const_cast<RangeTblEntry*>(entry))
        ->checkAsUser;
#else
    (void)query;
    return entry->checkAsUser;
#endif
}

inline void set_checked_user([[maybe_unused]] const Query* query, RangeTblEntry* entry, Oid user) {
#if PG_VERSION_NUM >= 160000
    if (entry->perminfoindex != 0)
        getRTEPermissionInfo(query->rteperminfos, entry)->checkAsUser = user;
#else
    entry->checkAsUser = user;
#endif
}

// How a plan skips partitions; nullptr from 18 on, where visit_prunings finds it.
inline const PartitionPruneInfo* pruning_of([[maybe_unused]] const Plan* plan) {
#if PG_VERSION_NUM >= 180000
    return nullptr;
#else
    return IsA(plan, Append) ? reinterpret_cast<const Append*>(plan)->part_prune_info
                             : reinterpret_cast<const MergeAppend*>(plan)->part_prune_info;
#endif
}

// Calls visit(const PartitionPruneInfo*) for what pruning_of does not tell.
template <typename Visit>
void visit_prunings([[maybe_unused]] const PlannedStmt* statement, [[maybe_unused]] Visit visit) {
#if PG_VERSION_NUM >= 180000
    ListCell* cell;
    foreach (cell, statement->partPruneInfos)
        visit(lfirst_node(PartitionPruneInfo, cell));
#endif
}

// Calls visit(List*) for MERGE's conditions as 17 keeps them.
template <typename Visit>
void visit_merge_conditions([[maybe_unused]] const ModifyTable* change,
                            [[maybe_unused]] Visit visit) {
#if PG_VERSION_NUM >= 170000
    visit(change->mergeJoinConditions);
#endif
}

// Whether a function tells one of the statistics of tables that 16 added.
constexpr bool is_statistic_since_16([[maybe_unused]] Oid function) {
#if PG_VERSION_NUM >= 160000
    return function == F_PG_STAT_GET_LASTSCAN || function == F_PG_STAT_GET_TUPLES_NEWPAGE_UPDATED ||
           function == F_PG_STAT_GET_XACT_TUPLES_NEWPAGE_UPDATED;
#else
    return false;
#endif
}

// Whether a function shows blocks that were read: of all backends from 16 on, of each from 18 on.
constexpr bool counts_blocks([[maybe_unused]] Oid function) {
#if PG_VERSION_NUM >= 180000
    return function == F_PG_STAT_GET_IO || function == F_PG_STAT_GET_BACKEND_IO;
#elif PG_VERSION_NUM >= 160000
    return function == F_PG_STAT_GET_IO;
#else
    return false;
#endif
}

// The index of a backend among all backends and auxiliary processes, from 0.
inline int process_number(const PGPROC* process) {
#if PG_VERSION_NUM >= 170000
    return GetNumberFromPGProc(process);
#else
    return process->pgprocno;
#endif
}

// The process that runs a virtual transaction, or nullptr when it has ended.
inline PGPROC* process_of(const VirtualTransactionId& transaction) {
#if PG_VERSION_NUM >= 170000
    return ProcNumberGetProc(transaction.procNumber);
#else
    return BackendIdGetProc(transaction.backendId);
#endif
}

// The virtual transaction this backend is in.
inline VirtualTransactionId own_transaction() {
    VirtualTransactionId own;
#if PG_VERSION_NUM >= 170000
    own.procNumber = MyProcNumber;
    own.localTransactionId = MyProc->vxid.lxid;
#else
    own.backendId = MyBackendId;
    own.localTransactionId = MyProc->lxid;
#endif
    return own;
}

// Requires INSERT on columns of a relation; on any, when there are none.
inline void require_insert(const ParseNamespaceItem* item, Bitmapset* columns) {
#if PG_VERSION_NUM >= 160000
    item->p_perminfo->requiredPerms = ACL_INSERT;
    item->p_perminfo->insertedCols = columns;
#else
    item->p_rte->requiredPerms = ACL_INSERT;
    item->p_rte->insertedCols = columns;
#endif
}

// The relations of a parse state become those of a query.
inline void take_range_table(Query* query, const ParseState* parse) {
    query->rtable = parse->p_rtable;
#if PG_VERSION_NUM >= 160000
    query->rteperminfos = parse->p_rteperminfos;
#endif
}

// Whether the row that COPY just read is one to leave out, after ON_ERROR. Raises when there are
// more than REJECT_LIMIT.
inline bool skips_row(CopyFromState reader) {
#if PG_VERSION_NUM >= 170000
    if (reader->escontext == nullptr || !reader->escontext->error_occurred)
        return false;
    reader->escontext->error_occurred = false;
    pgstat_progress_update_param(PROGRESS_COPY_TUPLES_SKIPPED,
                                 static_cast<int64>(reader->num_errors));
#if PG_VERSION_NUM >= 180000
    const int64 limit = reader->opts.reject_limit;
    if (limit > 0 && reader->num_errors > static_cast<uint64>(limit))
        ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                        errmsg("skipped more than REJECT_LIMIT (%lld) rows due to data type "
                               "incompatibility",
                               static_cast<long long>(limit))));
#endif
    return true;
#else
    (void)reader;
    return false;
#endif
}

// How many rows ON_ERROR left out, where LOG_VERBOSITY wants to know.
inline uint64 skipped_rows(CopyFromState reader) {
#if PG_VERSION_NUM >= 170000
    return reader->opts.log_verbosity >= COPY_LOG_VERBOSITY_DEFAULT ? reader->num_errors : 0;
#else
    (void)reader;
    return 0;
#endif
}

} // namespace tenancy::compat
