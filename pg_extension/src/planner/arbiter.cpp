// See arbiter.hpp. Plain C style throughout.
#include "planner/arbiter.hpp"

#include "isolation/protected.hpp"
#include "planner/writing_query.hpp"

namespace tenancy::planner {

namespace {

// What ON CONFLICT names, or what an index is on: columns, and expressions of them.
struct Key {
    Bitmapset* columns;
    List* expressions;
};

Key named_key(const OnConflictExpr* conflict) {
    Key key{nullptr, NIL};
    ListCell* cell;
    foreach (cell, conflict->arbiterElems) {
        Node* expression = lfirst_node(InferenceElem, cell)->expr;
        if (IsA(expression, Var))
            key.columns = bms_add_member(key.columns, castNode(Var, expression)->varattno);
        else
            key.expressions = lappend(key.expressions, expression);
    }
    return key;
}

Key index_key(Relation index, Index target) {
    Key key{nullptr, static_cast<List*>(copyObjectImpl(RelationGetIndexExpressions(index)))};
    ChangeVarNodes(reinterpret_cast<Node*>(key.expressions), 1, static_cast<int>(target), 0);
    for (int at = 0; at < index->rd_index->indnkeyatts; at++)
        if (index->rd_index->indkey.values[at] > 0)
            key.columns = bms_add_member(key.columns, index->rd_index->indkey.values[at]);
    return key;
}

bool is_same(const Key& one, const Key& other) {
    return bms_equal(one.columns, other.columns) &&
           list_difference(one.expressions, other.expressions) == NIL &&
           list_difference(other.expressions, one.expressions) == NIL;
}

// Whether every row that `where` is true for is in the index.
bool covers(Relation index, Index target, Node* where) {
    auto* predicate = static_cast<List*>(copyObjectImpl(RelationGetIndexPredicate(index)));
    ChangeVarNodes(reinterpret_cast<Node*>(predicate), 1, static_cast<int>(target), 0);
    return predicate_implied_by(predicate, make_ands_implicit(reinterpret_cast<Expr*>(where)),
                                false);
}

// What ON CONFLICT names: the target and its key, and which rows.
struct Named {
    Index target;
    Key key;
    Node* where;
};

bool is_arbiter(Relation index, const Named& named) {
    return index->rd_index->indisunique && index->rd_index->indisvalid &&
           index->rd_index->indimmediate && is_same(named.key, index_key(index, named.target)) &&
           covers(index, named.target, named.where);
}

bool has_arbiter(Relation table, const Named& named) {
    ListCell* cell;
    foreach (cell, RelationGetIndexList(table)) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        const bool found = is_arbiter(index, named);
        index_close(index, NoLock);
        if (found)
            return true;
    }
    return false;
}

void add_column(OnConflictExpr* conflict, Relation table, Index target, AttrNumber column) {
    const FormData_pg_attribute* attribute = TupleDescAttr(RelationGetDescr(table), column - 1);
    auto* element = makeNode(InferenceElem);
    element->expr =
        reinterpret_cast<Node*>(makeVar(static_cast<int>(target), column, attribute->atttypid,
                                        attribute->atttypmod, attribute->attcollation, 0));
    conflict->arbiterElems = lappend(conflict->arbiterElems, element);
}

void add_tenant(OnConflictExpr* conflict, Oid relation, Index target) {
    const isolation::Protection protection = isolation::protection_of(relation);
    if (protection.kind == isolation::KeyKind::none)
        return;
    Named named{target, named_key(conflict), conflict->arbiterWhere};
    if (bms_is_member(protection.tenant_column, named.key.columns))
        return;
    Relation table = table_open(relation, NoLock); // locked since the statement was parsed
    if (!has_arbiter(table, named)) {
        named.key.columns = bms_add_member(named.key.columns, protection.tenant_column);
        if (has_arbiter(table, named))
            add_column(conflict, table, target, protection.tenant_column);
    }
    table_close(table, NoLock);
}

void add_to_query(Query* query) {
    if (query->onConflict == nullptr || query->onConflict->arbiterElems == NIL)
        return;
    const auto target = static_cast<Index>(query->resultRelation);
    add_tenant(query->onConflict, rt_fetch(target, query->rtable)->relid, target);
}

} // namespace

void add_tenant_to_arbiters(Query* statement) {
    for_each_writing_query(statement, add_to_query);
}

} // namespace tenancy::planner
