// Package sqltree holds a model's SELECT as a tree and writes it back in the words of an engine.
//
// DuckDB parses (json_serialize_sql); the nodes here mirror what it gives, with byte offsets into the model's file.
// [Parse] refuses everything outside the portable subset (docs/sql.md), [Query.Print] writes a dialect, [Bind] lets DuckDB
// name and type the columns, and [Query.Flow] tells which condition drops which rows.
package sqltree

import (
	"encoding/json"
	"math"
)

// node is a query: a SELECT or a set operation.
type node struct {
	Type      string     `json:"type"` // SELECT_NODE, SET_OPERATION_NODE
	CTEs      ctes       `json:"cte_map"`
	Modifiers []modifier `json:"modifiers"`

	SelectList []*expr    `json:"select_list"`
	From       *tableRef  `json:"from_table"`
	Where      *expr      `json:"where_clause"`
	Groups     []*expr    `json:"group_expressions"`
	GroupSets  [][]int    `json:"group_sets"`
	Aggregates string     `json:"aggregate_handling"`
	Having     *expr      `json:"having"`
	Qualify    *expr      `json:"qualify"`
	Sample     rawPresent `json:"sample"`

	SetOp    string `json:"setop_type"`
	SetOpAll bool   `json:"setop_all"`
	Left     *node  `json:"left"`
	Right    *node  `json:"right"`
	// Newer DuckDBs list the arms of a set operation here.
	Children []*node `json:"children"`
}

type ctes struct {
	Map []struct {
		Key   string `json:"key"`
		Value struct {
			Aliases []string  `json:"aliases"`
			Query   *subquery `json:"query"`
		} `json:"value"`
	} `json:"map"`
}

type subquery struct {
	Node *node `json:"node"`
}

type modifier struct {
	Type       string    `json:"type"` // ORDER_MODIFIER, LIMIT_MODIFIER, DISTINCT_MODIFIER, LIMIT_PERCENT_MODIFIER
	Orders     []orderBy `json:"orders"`
	Limit      *expr     `json:"limit"`
	Offset     *expr     `json:"offset"`
	DistinctOn []*expr   `json:"distinct_on_targets"`
}

type orderBy struct {
	Type string `json:"type"`
	Null string `json:"null_order"`
	Expr *expr  `json:"expression"`
}

// tableRef is an item of FROM.
type tableRef struct {
	Type          string     `json:"type"` // BASE_TABLE, JOIN, SUBQUERY, EMPTY, and others that are refused
	Alias         string     `json:"alias"`
	At            location   `json:"query_location"`
	Catalog       string     `json:"catalog_name"`
	Schema        string     `json:"schema_name"`
	Table         string     `json:"table_name"`
	ColumnAliases []string   `json:"column_name_alias"`
	Sample        rawPresent `json:"sample"`
	AtClause      rawPresent `json:"at_clause"`

	Left      *tableRef `json:"left"`
	Right     *tableRef `json:"right"`
	JoinType  string    `json:"join_type"`
	RefType   string    `json:"ref_type"`
	Using     []string  `json:"using_columns"`
	Condition *expr     `json:"condition"`

	Subquery *subquery `json:"subquery"`
	Function *expr     `json:"function"`
}

// expr is an expression. Which fields matter depends on Class.
type expr struct {
	Class string   `json:"class"`
	Type  string   `json:"type"`
	Alias string   `json:"alias"`
	At    location `json:"query_location"`

	Columns flexible `json:"column_names"` // COLUMN_REF
	Value   *value   `json:"value"`        // CONSTANT

	Left  *expr `json:"left"` // COMPARISON
	Right *expr `json:"right"`

	Children []*expr `json:"children"` // CONJUNCTION, OPERATOR, FUNCTION, WINDOW

	Input *expr `json:"input"` // BETWEEN
	Lower *expr `json:"lower"`
	Upper *expr `json:"upper"`

	Checks []caseCheck `json:"case_checks"` // CASE
	Else   *expr       `json:"else_expr"`

	Child    *expr     `json:"child"` // CAST, SUBQUERY
	CastType *typeInfo `json:"cast_type"`
	TryCast  bool      `json:"try_cast"`

	SubqueryType string    `json:"subquery_type"` // SUBQUERY
	Subquery     *subquery `json:"subquery"`
	Comparison   string    `json:"comparison_type"`

	Function   string    `json:"function_name"` // FUNCTION, WINDOW
	Schema     string    `json:"schema"`
	Filter     *expr     `json:"filter"`
	FilterExpr *expr     `json:"filter_expr"`
	OrderBys   *modifier `json:"order_bys"`
	Distinct   bool      `json:"distinct"`
	IsOperator bool      `json:"is_operator"`

	Partitions  []*expr   `json:"partitions"` // WINDOW
	Orders      []orderBy `json:"orders"`
	Start       string    `json:"start"`
	End         string    `json:"end"`
	StartExpr   *expr     `json:"start_expr"`
	EndExpr     *expr     `json:"end_expr"`
	OffsetExpr  *expr     `json:"offset_expr"`
	DefaultExpr *expr     `json:"default_expr"`
	IgnoreNulls bool      `json:"ignore_nulls"`
	Exclude     string    `json:"exclude_clause"`
	ArgOrders   []orderBy `json:"arg_orders"`

	Relation    string     `json:"relation_name"` // STAR
	ExcludeList rawPresent `json:"exclude_list"`
	ReplaceList rawPresent `json:"replace_list"`
	RenameList  rawPresent `json:"rename_list"`
	StarExpr    *expr      `json:"expr"`
	ColumnsStar bool       `json:"columns"`
}

type caseCheck struct {
	When *expr `json:"when_expr"`
	Then *expr `json:"then_expr"`
}

type value struct {
	Type   typeInfo        `json:"type"`
	IsNull bool            `json:"is_null"`
	Value  json.RawMessage `json:"value"`
}

type typeInfo struct {
	ID   string `json:"id"`
	Info *struct {
		Type     string          `json:"type"`
		Width    int             `json:"width"`
		Scale    int             `json:"scale"`
		Name     string          `json:"name"`
		UserType string          `json:"user_type_name"`
		Child    json.RawMessage `json:"child_type"`
	} `json:"type_info"`
}

// location is a byte offset in the parsed text; -1 where DuckDB has none, as for desugared calls.
type location int

func (l *location) UnmarshalJSON(raw []byte) error {
	var n uint64
	if err := json.Unmarshal(raw, &n); err != nil {
		*l = -1
		return nil
	}
	if n > math.MaxInt32 {
		*l = -1
		return nil
	}
	*l = location(n)
	return nil
}

// rawPresent is true if something other than nothing stood there.
type rawPresent bool

func (p *rawPresent) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case "null", "[]", "{}", `""`, "false":
		*p = false
	default:
		*p = true
	}
	return nil
}

// flexible takes a list of texts, and skips anything else that newer DuckDBs may put there.
type flexible []string

func (f *flexible) UnmarshalJSON(raw []byte) error {
	var list []string
	if err := json.Unmarshal(raw, &list); err == nil {
		*f = list
	}
	return nil
}
