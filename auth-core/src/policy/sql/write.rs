//! Scopes, written down.

mod walk;

use diesel::{
    query_builder::{AstPass, QueryFragment},
    result::QueryResult,
};

use super::{Form, IsTrue, NewValues, Scope, Scoped, tree::Tree, value::BindIds};
use crate::policy::{Column, Relation, RelationKind};

/// Implements a fragment for each backend that ids can be bound to.
macro_rules! fragment {
    ($expression:ident: |$this:ident, $out:ident| $walk:expr) => {
        impl<M: Scoped<Backend: BindIds>, P> QueryFragment<M::Backend> for $expression<M, P> {
            fn walk_ast<'b>(&'b self, mut $out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
                let $this = self;
                $walk
            }
        }
    };
}

fragment!(Scope: |this, out| {
    match never_null::<M>() {
        // A left join has a row of nulls where it finds none. A test for null, true of that row, would tell a row that is
        // refused from one that is not there.
        Some(column) if this.tree.holds_of_nulls() => {
            out.push_sql("(");
            this.table(None).write_column(column.name, &mut out)?;
            out.push_sql(" IS NOT NULL AND ");
            this.write(None, &mut out)?;
            out.push_sql(")");
            Ok(())
        }
        _ => this.write(None, &mut out),
    }
});

fragment!(IsTrue: |this, out| {
    out.push_sql("(");
    this.0.walk_ast(out.reborrow())?;
    out.push_sql(" IS TRUE)");
    Ok(())
});

/// A column that each row has.
fn never_null<M: Scoped>() -> Option<Column> {
    M::KEY.or_else(|| M::COLUMNS.iter().find(|column| !column.nullable).copied())
}

impl<M: Scoped<Backend: BindIds>, P> Scope<M, P> {
    /// Writes the condition, in parentheses, for the caller may join it with others. `key` is the condition by which the
    /// statement finds its rows, if they are few.
    pub(super) fn write<'b>(
        &'b self,
        key: Option<&'b dyn QueryFragment<M::Backend>>,
        out: &mut AstPass<'_, 'b, M::Backend>,
    ) -> QueryResult<()> {
        out.push_sql("(");
        self.table(key).write(&self.tree, out)?;
        out.push_sql(")");
        Ok(())
    }

    /// Writes the condition of the row as these values make it.
    pub(super) fn write_of_new<'b>(
        &'b self,
        values: &'b NewValues<'b, M::Backend>,
        out: &mut AstPass<'_, 'b, M::Backend>,
    ) -> QueryResult<()> {
        out.push_sql("(");
        ScopedTable { values: Some(values), ..self.table(None) }.write(&self.tree, out)?;
        out.push_sql(")");
        Ok(())
    }

    pub(super) fn table<'b>(
        &self,
        key: Option<&'b dyn QueryFragment<M::Backend>>,
    ) -> ScopedTable<'static, 'b, M> {
        ScopedTable { path: &[], form: self.form, key, alias: self.alias, values: None }
    }
}

/// Writes which rows are there.
pub(super) fn write_rows<'b, DB: BindIds>(
    tree: &'b Tree,
    table: &'b dyn QueryFragment<DB>,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()> {
    match tree {
        Tree::Always => out.push_sql("1 = 1"),
        Tree::Test(test) => {
            let column = |out: &mut AstPass<'_, 'b, DB>| {
                table.walk_ast(out.reborrow())?;
                out.push_sql(".");
                out.push_identifier(test.column.name)
            };
            test.write(column, out)?;
        }
        Tree::Any(trees) => joined(trees, " OR ", out, |tree, out| write_rows(tree, table, out))?,
        Tree::All(trees) => joined(trees, " AND ", out, |tree, out| write_rows(tree, table, out))?,
        // Whether a row is there is a matter of its own columns.
        Tree::Never | Tree::Related(..) | Tree::Ancestor(..) => out.push_sql("1 = 0"),
    }
    Ok(())
}

/// Each of the trees in parentheses, even a single column: precedence is the tree's.
fn joined<'b, DB: BindIds>(
    trees: &'b [Tree],
    operator: &str,
    out: &mut AstPass<'_, 'b, DB>,
    write: impl Fn(&'b Tree, &mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
) -> QueryResult<()> {
    for (index, tree) in trees.iter().enumerate() {
        if index > 0 {
            out.push_sql(operator);
        }
        out.push_sql("(");
        write(tree, out)?;
        out.push_sql(")");
    }
    Ok(())
}

/// A table in the statement: that of the context, or one to which relations lead, within subqueries.
pub(super) struct ScopedTable<'a, 'b, M: Scoped> {
    /// The relations that lead here.
    path: &'a [&'static Relation],
    form: Form,
    key: Option<&'b dyn QueryFragment<M::Backend>>,
    /// The name of the context's table, if the statement gives it another one.
    alias: Option<&'static str>,
    /// Values that stand for columns of the context's row.
    values: Option<&'b NewValues<'b, M::Backend>>,
}

type Out<'a, 'b, M> = AstPass<'a, 'b, <M as Scoped>::Backend>;

impl<'b, M: Scoped<Backend: BindIds>> ScopedTable<'_, 'b, M> {
    /// Writes that one of these suffices.
    pub(super) fn write_any(&self, trees: &[&'b Tree], out: &mut Out<'_, 'b, M>) -> QueryResult<()> {
        if let [tree] = trees {
            return self.write(tree, out);
        }
        for (index, tree) in trees.iter().enumerate() {
            out.push_sql(if index > 0 { " OR (" } else { "(" });
            self.write(tree, out)?;
            out.push_sql(")");
        }
        Ok(())
    }

    pub(super) fn write(&self, tree: &'b Tree, out: &mut Out<'_, 'b, M>) -> QueryResult<()> {
        match tree {
            Tree::Always => out.push_sql("1 = 1"),
            Tree::Never => out.push_sql("1 = 0"),
            Tree::Test(test) => test.write(|out| self.write_column(test.column.name, out), out)?,
            Tree::Any(trees) => {
                let by_indexes = self.form == Form::Set && trees.iter().all(Tree::is_alternative_of_indexes);
                let form = if by_indexes { Form::Alternative } else { self.form };
                let each = Self { form, ..*self };
                joined(trees, " OR ", out, |tree, out| each.write(tree, out))?;
            }
            Tree::All(trees) => joined(trees, " AND ", out, |tree, out| self.write(tree, out))?,
            Tree::Related(relation, tree) => self.write_related(relation, tree, out)?,
            Tree::Ancestor(relation, climb) => self.write_ancestor(relation, climb, out)?,
        }
        Ok(())
    }

    fn write_related(
        &self,
        relation: &'static Relation,
        tree: &'b Tree,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        let path = [self.path, &[relation]].concat();
        let related = self.at(&path);
        let matches_row = |out: &mut Out<'_, 'b, M>| {
            related.write_from(out)?;
            out.push_sql(" WHERE ");
            related.write_column(relation.related.name, out)?;
            out.push_sql(" = ");
            self.write_column(relation.own.name, out)
        };
        let is_many = relation.kind == RelationKind::Many;
        let is_set = matches!(self.form, Form::Set | Form::Alternative);
        let is_each = self.form == Form::Each;
        if is_each || is_many && !is_set || is_set && !relation.is_looked_up() {
            out.push_sql("EXISTS (SELECT 1");
            matches_row(out)?;
            out.push_sql(" AND (");
            related.write(tree, out)?;
            out.push_sql(")");
            if is_each {
                // `SQLite` would make a join of it, and find all related rows first.
                out.push_sql(" LIMIT 1");
            }
            self.form.write_lock(out);
        } else if is_set {
            self.write_column(relation.own.name, out)?;
            let form = self.form.for_rows(tree);
            form.write_in(out);
            out.push_sql("SELECT ");
            related.write_column(relation.related.name, out)?;
            related.write_from(out)?;
            out.push_sql(" WHERE ");
            related.write(tree, out)?;
            form.write_in_end(out);
        } else {
            out.push_sql("(SELECT ");
            related.write(tree, out)?;
            matches_row(out)?;
            self.form.write_lock(out);
        }
        out.push_sql(")");
        Ok(())
    }

    fn at<'a>(&self, path: &'a [&'static Relation]) -> ScopedTable<'a, 'b, M> {
        let form = match self.form {
            Form::Each | Form::Alternative => Form::Set,
            form => form,
        };
        ScopedTable { path, form, key: self.key, alias: self.alias, values: self.values }
    }

    fn write_from(&self, out: &mut Out<'_, 'b, M>) -> QueryResult<()> {
        out.push_sql(" FROM ");
        self.write_source(out)
    }

    fn write_source(&self, out: &mut Out<'_, 'b, M>) -> QueryResult<()> {
        self.write_table(out)?;
        if !self.path.is_empty() {
            out.push_sql(" AS ");
            self.write_name(TABLE, out);
        }
        Ok(())
    }

    fn write_column(&self, name: &str, out: &mut Out<'_, 'b, M>) -> QueryResult<()> {
        if self.path.is_empty()
            && let Some(value) = self.values.and_then(|values| values.value(name))
        {
            return value.walk_ast(out.reborrow());
        }
        match self.alias {
            Some(alias) if self.path.is_empty() => out.push_identifier(alias)?,
            _ if self.path.is_empty() => self.write_table(out)?,
            _ => self.write_name(TABLE, out),
        }
        out.push_sql(".");
        out.push_identifier(name)
    }

    fn write_table(&self, out: &mut Out<'_, 'b, M>) -> QueryResult<()> {
        M::write_table(self.path, out.reborrow())
    }

    /// Writes a name that no table of the caller's has, even where a table is its own ancestor. It needs no quotes.
    fn write_name(&self, prefix: &str, out: &mut Out<'_, 'b, M>) {
        const DEPTHS: [&str; 5] = ["0", "1", "2", "3", "4"];

        out.push_sql(prefix);
        let depth = self.path.len();
        match DEPTHS.get(depth) {
            Some(depth) => out.push_sql(depth),
            None => out.push_sql(&depth.to_string()),
        }
    }
}

/// The beginning of the names of tables within subqueries.
const TABLE: &str = "__auth_";

impl Form {
    /// That for related rows which are these: an array of many is none that an index is asked for.
    fn for_rows(self, tree: &Tree) -> Self {
        if self == Self::Alternative && !tree.is_found_by_indexes() { Self::Set } else { self }
    }

    /// Writes the operator before a subselect that is a set, and the parenthesis that opens it.
    fn write_in<DB: BindIds>(self, out: &mut AstPass<'_, '_, DB>) {
        if self == Self::Alternative {
            out.push_sql(concat!(not_postgres!("IN"), postgres_only!("= ANY (ARRAY")));
        } else {
            out.push_sql(" IN ");
        }
        out.push_sql("(");
    }

    /// The text before the last parenthesis.
    fn write_in_end<DB: BindIds>(self, out: &mut AstPass<'_, '_, DB>) {
        if self == Self::Alternative {
            out.push_sql(postgres_only!(")"));
        }
    }

    fn write_lock<DB: BindIds>(self, out: &mut AstPass<'_, '_, DB>) {
        if let Self::Locked(clause) = self {
            out.push_sql(clause);
        }
    }
}
