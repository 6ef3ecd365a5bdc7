//! Scopes, written down.

use std::borrow::Cow;

use diesel::{
    query_builder::{AstPass, QueryFragment},
    result::QueryResult,
};

use super::{Form, GrantedColumn, IsTrue, Scope, Scoped, tree::Tree, value::BindIds};
use crate::{
    context::Granted,
    policy::{Kind, Relation},
};

/// Implements a fragment for each backend that ids can be bound to.
macro_rules! fragment {
    ($expression:ident: |$this:ident, $out:ident| $walk:expr) => {
        impl<M: Scoped<Backend: BindIds>> QueryFragment<M::Backend> for $expression<M> {
            fn walk_ast<'b>(&'b self, mut $out: AstPass<'_, 'b, M::Backend>) -> QueryResult<()> {
                let $this = self;
                $walk
            }
        }
    };
}

fragment!(Scope: |this, out| {
    let table = ScopedTable { path: &[], form: this.form };
    // In parentheses, for the caller may join it with other conditions.
    out.push_sql("(");
    table.write::<M>(&this.tree, &mut out)?;
    out.push_sql(")");
    Ok(())
});

fragment!(IsTrue: |this, out| {
    out.push_sql("(");
    this.0.walk_ast(out.reborrow())?;
    out.push_sql(" IS TRUE)");
    Ok(())
});

// Each answer is a bit. A literal is an integer everywhere, and so is a sum of these.
fragment!(GrantedColumn: |this, out| {
    out.push_sql("(0");
    for (index, scope) in this.scopes.iter().enumerate() {
        out.push_sql(" + CASE WHEN ");
        scope.walk_ast(out.reborrow())?;
        out.push_sql(&format!(" THEN {} ELSE 0 END", Granted::bit(index)));
    }
    out.push_sql(")");
    Ok(())
});

/// A table in the statement: that of the context, or of an ancestor within subqueries.
#[derive(Clone, Copy)]
struct ScopedTable<'a> {
    /// The relations that lead here.
    path: &'a [&'static Relation],
    form: Form,
}

impl ScopedTable<'_> {
    fn write<'b, M: Scoped<Backend: BindIds>>(
        &self,
        tree: &'b Tree,
        out: &mut AstPass<'_, 'b, M::Backend>,
    ) -> QueryResult<()> {
        match tree {
            Tree::Always => out.push_sql("1 = 1"),
            Tree::Never => out.push_sql("1 = 0"),
            Tree::Test(test) => test.write(|out| self.write_column::<M>(test.column.name, out), out)?,
            Tree::Any(trees) => self.write_joined::<M>(trees, " OR ", out)?,
            Tree::All(trees) => self.write_joined::<M>(trees, " AND ", out)?,
            Tree::Parent(relation, tree) => self.write_parent::<M>(relation, tree, out)?,
        }
        Ok(())
    }

    /// Each of the trees in parentheses, even a single column: precedence is the tree's.
    fn write_joined<'b, M: Scoped<Backend: BindIds>>(
        &self,
        trees: &'b [Tree],
        operator: &str,
        out: &mut AstPass<'_, 'b, M::Backend>,
    ) -> QueryResult<()> {
        for (index, tree) in trees.iter().enumerate() {
            if index > 0 {
                out.push_sql(operator);
            }
            out.push_sql("(");
            self.write::<M>(tree, out)?;
            out.push_sql(")");
        }
        Ok(())
    }

    fn write_parent<'b, M: Scoped<Backend: BindIds>>(
        &self,
        relation: &'static Relation,
        tree: &'b Tree,
        out: &mut AstPass<'_, 'b, M::Backend>,
    ) -> QueryResult<()> {
        let path = [self.path, &[relation]].concat();
        let parent = ScopedTable { path: &path, form: self.form };
        let by_key = |out: &mut AstPass<'_, 'b, M::Backend>| {
            parent.write_from::<M>(out)?;
            out.push_sql(" WHERE ");
            parent.write_column::<M>(relation.key.name, out)?;
            out.push_sql(" = ");
            self.write_column::<M>(relation.foreign_key.name, out)
        };
        if self.form == Form::Set && relation.key.kind == Kind::Text {
            // `IN` compares texts by the collation of the foreign key, and `=` by that of the key, as single rows do.
            out.push_sql("EXISTS (SELECT 1");
            by_key(out)?;
            out.push_sql(" AND (");
            parent.write::<M>(tree, out)?;
            out.push_sql(")");
        } else if self.form == Form::Set {
            self.write_column::<M>(relation.foreign_key.name, out)?;
            out.push_sql(" IN (SELECT ");
            parent.write_column::<M>(relation.key.name, out)?;
            parent.write_from::<M>(out)?;
            out.push_sql(" WHERE ");
            parent.write::<M>(tree, out)?;
        } else {
            out.push_sql("(SELECT ");
            parent.write::<M>(tree, out)?;
            by_key(out)?;
            if let Form::Locked(clause) = self.form {
                out.push_sql(clause);
            }
        }
        out.push_sql(")");
        Ok(())
    }

    fn write_from<M: Scoped>(&self, out: &mut AstPass<'_, '_, M::Backend>) -> QueryResult<()> {
        out.push_sql(" FROM ");
        self.write_table::<M>(out)?;
        out.push_sql(" AS ");
        out.push_sql(&self.alias());
        Ok(())
    }

    fn write_column<M: Scoped>(&self, name: &str, out: &mut AstPass<'_, '_, M::Backend>) -> QueryResult<()> {
        if self.path.is_empty() {
            self.write_table::<M>(out)?;
        } else {
            out.push_sql(&self.alias());
        }
        out.push_sql(".");
        out.push_identifier(name)
    }

    fn write_table<M: Scoped>(&self, out: &mut AstPass<'_, '_, M::Backend>) -> QueryResult<()> {
        M::write_table(self.path, out.reborrow())
    }

    /// A name that no table of the caller's has, even where a table is its own ancestor. It needs no quotes.
    fn alias(&self) -> Cow<'static, str> {
        const ALIASES: [&str; 5] = ["__auth_0", "__auth_1", "__auth_2", "__auth_3", "__auth_4"];
        let depth = self.path.len();
        ALIASES.get(depth).map_or_else(|| format!("__auth_{depth}").into(), |alias| (*alias).into())
    }
}
