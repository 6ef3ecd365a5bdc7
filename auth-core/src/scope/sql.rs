//! Scopes, written down.

use diesel::{
    query_builder::{AstPass, QueryFragment},
    result::QueryResult,
};

use super::{Answers, Form, Scope, Scoped, tree::Tree, value::BindIds};
use crate::{
    context::Answer,
    policy::{Policy, Way},
};

/// Implements a fragment for whatever the ids can be bound to.
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
    let place = Place { policy: this.policy, way: None, depth: 0, form: this.form };
    // In parentheses, for whatever the caller joins it with.
    out.push_sql("(");
    place.write::<M>(&this.tree, &mut out)?;
    out.push_sql(")");
    Ok(())
});

// Each answer is a bit. A literal is an integer everywhere, and so is a sum of these.
fragment!(Answers: |this, out| {
    out.push_sql("(0");
    for (index, scope) in this.scopes.iter().enumerate() {
        out.push_sql(" + CASE WHEN ");
        scope.walk_ast(out.reborrow())?;
        out.push_sql(&format!(" THEN {} ELSE 0 END", Answer::bit(index)));
    }
    out.push_sql(")");
    Ok(())
});

/// A table in the statement: that of the context, or of an ancestor within subqueries.
#[derive(Clone, Copy)]
struct Place<'a> {
    policy: &'static Policy,
    way: Option<&'a Way<'a>>,
    depth: usize,
    form: Form,
}

impl Place<'_> {
    fn write<'b, M: Scoped<Backend: BindIds>>(
        &self,
        tree: &'b Tree,
        out: &mut AstPass<'_, 'b, M::Backend>,
    ) -> QueryResult<()> {
        match tree {
            Tree::Always => out.push_sql("1 = 1"),
            Tree::Never => out.push_sql("1 = 0"),
            Tree::Is(column, value) => {
                <M::Backend>::write_equal(value, |out| self.write_column::<M>(column.name, out), out)?;
            }
            Tree::IsNull(column) => {
                self.write_column::<M>(column.name, out)?;
                out.push_sql(" IS NULL");
            }
            Tree::Flag(column) => self.write_column::<M>(column.name, out)?,
            Tree::Any(trees) => self.write_joined::<M>(trees, " OR ", out)?,
            Tree::All(trees) => self.write_joined::<M>(trees, " AND ", out)?,
            Tree::Parent(index, tree) => self.write_parent::<M>(*index, tree, out)?,
        }
        Ok(())
    }

    /// Each of the trees in parentheses, whatever it is: precedence is the tree's.
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
        index: usize,
        tree: &'b Tree,
        out: &mut AstPass<'_, 'b, M::Backend>,
    ) -> QueryResult<()> {
        let relation = self.policy.relation(index);
        let way = Way { before: self.way, index, relation };
        let parent = Place { policy: relation.policy, way: Some(&way), depth: self.depth + 1, ..*self };
        let is_set = self.form == Form::Set;
        if is_set {
            self.write_column::<M>(relation.foreign_key.name, out)?;
            out.push_sql(" IN (SELECT ");
            parent.write_column::<M>(relation.key.name, out)?;
        } else {
            out.push_sql("EXISTS (SELECT 1");
        }
        out.push_sql(" FROM ");
        parent.write_table::<M>(out)?;
        out.push_sql(" AS ");
        out.push_identifier(&parent.alias())?;
        out.push_sql(" WHERE ");
        if !is_set {
            parent.write_column::<M>(relation.key.name, out)?;
            out.push_sql(" = ");
            self.write_column::<M>(relation.foreign_key.name, out)?;
            out.push_sql(" AND ");
        }
        out.push_sql("(");
        parent.write::<M>(tree, out)?;
        out.push_sql(")");
        if let Form::Locked(clause) = self.form {
            out.push_sql(clause);
        }
        out.push_sql(")");
        Ok(())
    }

    fn write_column<M: Scoped>(&self, name: &str, out: &mut AstPass<'_, '_, M::Backend>) -> QueryResult<()> {
        if self.depth == 0 {
            self.write_table::<M>(out)?;
        } else {
            out.push_identifier(&self.alias())?;
        }
        out.push_sql(".");
        out.push_identifier(name)
    }

    fn write_table<M: Scoped>(&self, out: &mut AstPass<'_, '_, M::Backend>) -> QueryResult<()> {
        let mut way: Vec<_> = Way::steps(self.way).map(|step| step.index).collect();
        way.reverse();
        M::write_table(&way, out.reborrow())
    }

    /// A name that no table of the caller's has, even where a table is its own ancestor.
    fn alias(&self) -> String {
        format!("auth_{}", self.depth)
    }
}
