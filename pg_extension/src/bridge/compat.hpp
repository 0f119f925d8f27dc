// What differs between PostgreSQL 15 and 18, in one place. Code elsewhere tests no version.
#pragma once

#include "bridge/postgres.hpp"

// One more parameter or argument of ExecutorRun, before 18: whether it runs to the end at once.
#if PG_VERSION_NUM >= 180000
#define BEFORE_18(parameter)
#else
#define BEFORE_18(parameter) , parameter
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

} // namespace tenancy::compat
