// See row_source.hpp. Plain C style throughout: nothing here has a destructor.
#include "copy/row_source.hpp"

#include "bridge/compat.hpp"
#include "bridge/entry.hpp"

namespace tenancy::copy {

namespace {

struct RowScan {
    CustomScanState node; // first: the executor's pointer is a pointer to this, too
    RowSource* source;
    ExprState* where;
    TupleTableSlot* row;
    int64 excluded;
};

RowScan& scan_of(CustomScanState* node) {
    return *reinterpret_cast<RowScan*>(node);
}

// The source travels in a constant, which copies of the plan keep.
List* in_constant(RowSource& source) {
    return list_make1(makeConst(INT8OID, -1, InvalidOid, sizeof(int64), PointerGetDatum(&source),
                                false, FLOAT8PASSBYVAL));
}

RowSource* source_in(const CustomScan* plan) {
    const Datum value = linitial_node(Const, plan->custom_private)->constvalue;
    return reinterpret_cast<RowSource*>(DatumGetPointer(value));
}

// A slot of the table's own kind is inserted as it is, without being copied.
void begin_impl(CustomScanState* node, EState* state, int) {
    RowScan& scan = scan_of(node);
    scan.source = source_in(castNode(CustomScan, node->ss.ps.plan));
    scan.row = table_slot_create(scan.source->target, &state->es_tupleTable);
    scan.where = ExecPrepareQual(scan.source->where, state);
}

// Reads one row, with its defaults. False at the end of the data.
bool read_row(RowScan& scan, ExprContext* context) {
    ResetExprContext(context);
    ExecClearTuple(scan.row);
    MemoryContext previous = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
    const bool found =
        NextCopyFrom(scan.source->reader, context, scan.row->tts_values, scan.row->tts_isnull);
    MemoryContextSwitchTo(previous);
    return found;
}

bool is_wanted(RowScan& scan, ExprContext* context) {
    if (compat::skips_row(scan.source->reader))
        return false;
    ExecStoreVirtualTuple(scan.row);
    scan.row->tts_tableOid = RelationGetRelid(scan.source->target);
    context->ecxt_scantuple = scan.row;
    if (ExecQual(scan.where, context))
        return true;
    pgstat_progress_update_param(PROGRESS_COPY_TUPLES_EXCLUDED, ++scan.excluded);
    return false;
}

// Tells, as COPY does, how many rows ON_ERROR left out.
void report_skipped(CopyFromState reader) {
    const uint64 count = compat::skipped_rows(reader);
    if (count > 0)
        ereport(NOTICE, (errmsg_plural("%llu row was skipped due to data type incompatibility",
                                       "%llu rows were skipped due to data type incompatibility",
                                       count, static_cast<unsigned long long>(count))));
}

TupleTableSlot* next_impl(CustomScanState* node) {
    RowScan& scan = scan_of(node);
    ExprContext* context = node->ss.ps.ps_ExprContext;
    pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED,
                                 static_cast<int64>(node->ss.ps.state->es_processed));
    scan.source->reading = true;
    do {
        CHECK_FOR_INTERRUPTS();
        if (!read_row(scan, context)) {
            scan.source->reading = false;
            report_skipped(scan.source->reader);
            return nullptr;
        }
    } while (!is_wanted(scan, context));
    return scan.row;
}

void restart_impl(CustomScanState*) {
    elog(ERROR, "the rows of a COPY cannot be read again");
}

extern "C" {
Node* tenancy_make_row_scan(CustomScan* plan);
void tenancy_begin_row_scan(CustomScanState* node, EState* state, int flags) {
    entry<begin_impl>(node, state, flags);
}
TupleTableSlot* tenancy_next_row(CustomScanState* node) {
    return entry<next_impl>(node);
}
void tenancy_end_row_scan(CustomScanState*) {}
void tenancy_restart_row_scan(CustomScanState* node) {
    entry<restart_impl>(node);
}
}

constexpr const char* node_name = "COPY FROM";

constexpr CustomScanMethods plan_methods = {.CustomName = node_name,
                                            .CreateCustomScanState = tenancy_make_row_scan};

constexpr CustomExecMethods methods = {.CustomName = node_name,
                                       .BeginCustomScan = tenancy_begin_row_scan,
                                       .ExecCustomScan = tenancy_next_row,
                                       .EndCustomScan = tenancy_end_row_scan,
                                       .ReScanCustomScan = tenancy_restart_row_scan,
                                       .MarkPosCustomScan = nullptr,
                                       .RestrPosCustomScan = nullptr,
                                       .EstimateDSMCustomScan = nullptr,
                                       .InitializeDSMCustomScan = nullptr,
                                       .ReInitializeDSMCustomScan = nullptr,
                                       .InitializeWorkerCustomScan = nullptr,
                                       .ShutdownCustomScan = nullptr,
                                       .ExplainCustomScan = nullptr};

Node* make_impl(CustomScan*) {
    auto* scan = static_cast<RowScan*>(palloc0(sizeof(RowScan)));
    NodeSetTag(&scan->node, T_CustomScanState);
    scan->node.methods = &methods;
    return reinterpret_cast<Node*>(scan);
}

extern "C" {
Node* tenancy_make_row_scan(CustomScan* plan) {
    return entry<make_impl>(plan);
}
}

} // namespace

void read_rows_from(PlannedStmt* plan, RowSource& source) {
    auto* scan = makeNode(CustomScan);
    // Never computed, but compared with the table's columns.
    scan->scan.plan.targetlist = outerPlan(plan->planTree)->targetlist;
    scan->custom_private = in_constant(source);
    scan->methods = &plan_methods;
    outerPlan(plan->planTree) = &scan->scan.plan;
}

} // namespace tenancy::copy
