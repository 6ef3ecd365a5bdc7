//! Trees of rows: the walks by which a permission goes down from a row to all below it.

use diesel::{query_builder::QueryFragment, result::QueryResult};

use super::{Out, ScopedTable};
use crate::policy::{
    Relation, RelationKind,
    sql::{
        Form, Scoped,
        tree::{Climb, Tree},
        value::BindIds,
    },
};

/// A walk up the tree: for each row that it passes, the parent at which it began, the row, the next one, and whether it may
/// go on to that.
const UP: &str = "__auth_up_";
/// A walk down the tree.
const DOWN: &str = "__auth_down_";
/// The rows at which a walk within a walk may begin.
const REACH: &str = "__auth_reach_";

impl<'b, M: Scoped<Backend: BindIds>> ScopedTable<'_, 'b, M> {
    /// An ancestor of the row is a base of the walk, and the walk comes there.
    pub(super) fn write_ancestor(
        &self,
        relation: &'static Relation,
        climb: &'b Climb,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        let path = [self.path, &[relation]].concat();
        let other = self.at(&path);
        match (self.form, self.key) {
            (Form::Row | Form::Locked(_), Some(key)) => {
                self.write_walk_up(&other, relation, climb, key, out)?;
                match self.form {
                    Form::Locked(lock) if !lock.is_empty() => {
                        self.write_held_base(&other, relation, climb, lock, out)
                    }
                    _ => self.write_base(&other, relation, climb, out),
                }
            }
            // A statement about many rows.
            _ => self.write_walk_down(&other, relation, climb, out),
        }
    }

    /// The walk from the rows that the statement finds by the key: what a correlated subquery would do, which MariaDB and
    /// `MySQL` refuse to be recursive. `UNION` passes no row twice, so a circle ends.
    fn write_walk_up(
        &self,
        above: &ScopedTable<'_, 'b, M>,
        relation: &'static Relation,
        climb: &'b Climb,
        key: &'b dyn QueryFragment<M::Backend>,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        // No lock is possible within the walk.
        let unlocked = ScopedTable { form: Form::Row, ..self.at(above.path) };
        let passed = |out: &mut Out<'_, 'b, M>| {
            above.write_column(relation.related.name, out)?;
            out.push_sql(", ");
            above.write_column(relation.own.name, out)?;
            out.push_sql(", ");
            unlocked.write_as_number(&climb.step, out)?;
            above.write_from(out)?;
            out.push_sql(" INNER JOIN ");
            QueryResult::Ok(())
        };
        self.write_column(relation.own.name, out)?;
        out.push_sql(" IN (WITH RECURSIVE ");
        self.write_name(UP, out);
        out.push_sql(" (origin, place, parent, passes) AS (SELECT ");
        self.write_column(relation.own.name, out)?;
        out.push_sql(", ");
        passed(out)?;
        self.write_source(out)?;
        out.push_sql(" ON ");
        above.write_column(relation.related.name, out)?;
        out.push_sql(" = ");
        self.write_column(relation.own.name, out)?;
        self.write_reached(key, out)?;
        out.push_sql(" UNION SELECT ");
        self.write_name(UP, out);
        out.push_sql(".origin, ");
        passed(out)?;
        self.write_name(UP, out);
        out.push_sql(" ON ");
        above.write_column(relation.related.name, out)?;
        out.push_sql(" = ");
        self.write_name(UP, out);
        out.push_sql(".parent WHERE ");
        self.write_name(UP, out);
        out.push_sql(".passes = 1) SELECT ");
        Ok(())
    }

    /// The parents at which a walk began that came to a base.
    fn write_base(
        &self,
        above: &ScopedTable<'_, 'b, M>,
        relation: &'static Relation,
        climb: &'b Climb,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        self.write_name(UP, out);
        out.push_sql(".origin");
        self.write_passed(above, relation, out)?;
        out.push_sql(" AND (");
        above.write(&climb.base, out)?;
        out.push_sql("))");
        Ok(())
    }

    /// Those, with all rows of the walk locked. The walk sees them as they were when the statement began, and the lock as they
    /// are: where one has changed in between, or is gone, the walk did not take place.
    fn write_held_base(
        &self,
        above: &ScopedTable<'_, 'b, M>,
        relation: &'static Relation,
        climb: &'b Climb,
        lock: &str,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        out.push_sql("held.origin FROM (SELECT ");
        self.write_name(UP, out);
        out.push_sql(".origin AS origin, ");
        above.write_as_number(&climb.base, out)?;
        out.push_sql(" AS granted, CASE WHEN (");
        above.write_column(relation.own.name, out)?;
        out.push_sql(" = ");
        self.write_name(UP, out);
        out.push_sql(".parent OR ");
        self.write_name(UP, out);
        out.push_sql(".parent IS NULL AND ");
        above.write_column(relation.own.name, out)?;
        out.push_sql(" IS NULL) AND ");
        self.write_name(UP, out);
        out.push_sql(".passes = ");
        above.write_as_number(&climb.step, out)?;
        out.push_sql(" THEN 1 ELSE 0 END AS unchanged");
        self.write_passed(above, relation, out)?;
        out.push_sql(lock);
        // Counted in a table of its own: of a count that depends on the group, in a condition on groups, MariaDB makes that of
        // another group.
        out.push_sql(") AS held INNER JOIN (SELECT origin, COUNT(*) AS steps FROM ");
        self.write_name(UP, out);
        out.push_sql(
            " GROUP BY origin) AS passed ON passed.origin = held.origin GROUP BY held.origin \
             HAVING MAX(held.granted) = 1 AND SUM(held.unchanged) = MAX(passed.steps))",
        );
        Ok(())
    }

    /// `FROM` the rows that the walk passed. Of a `CROSS JOIN`, SQLite begins with the first table: with statistics it would
    /// rather read the whole tree, and look each row up in the walk.
    fn write_passed(
        &self,
        above: &ScopedTable<'_, 'b, M>,
        relation: &'static Relation,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        out.push_sql(" FROM ");
        self.write_name(UP, out);
        out.push_sql(" CROSS JOIN ");
        above.write_source(out)?;
        out.push_sql(" WHERE ");
        above.write_column(relation.related.name, out)?;
        out.push_sql(" = ");
        self.write_name(UP, out);
        out.push_sql(".place");
        Ok(())
    }

    /// `WHERE` the rows of this table are those to which the relations lead from the rows with the key.
    fn write_reached(
        &self,
        key: &'b dyn QueryFragment<M::Backend>,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        out.push_sql(" WHERE ");
        let Some((relation, before)) = self.path.split_last() else { return key.walk_ast(out.reborrow()) };
        let before = self.at(before);
        let keys = |out: &mut Out<'_, 'b, M>| {
            out.push_sql("SELECT ");
            before.write_column(relation.own.name, out)?;
            before.write_from(out)?;
            before.write_reached(key, out)
        };
        self.write_column(relation.related.name, out)?;
        out.push_sql(" IN (");
        if relation.kind != RelationKind::Ancestors {
            keys(out)?;
            out.push_sql(")");
            return Ok(());
        }
        // A walk up the tree may have come here, so it is any of the ancestors.
        out.push_sql("WITH RECURSIVE ");
        self.write_name(REACH, out);
        out.push_sql(" (place) AS (");
        keys(out)?;
        out.push_sql(" UNION SELECT ");
        self.write_column(relation.own.name, out)?;
        self.write_from(out)?;
        out.push_sql(" INNER JOIN ");
        self.write_name(REACH, out);
        out.push_sql(" ON ");
        self.write_column(relation.related.name, out)?;
        out.push_sql(" = ");
        self.write_name(REACH, out);
        out.push_sql(".place) SELECT place FROM ");
        self.write_name(REACH, out);
        out.push_sql(")");
        Ok(())
    }

    /// The walk from all rows that are a base to those below them. The row's parent is one of these.
    fn write_walk_down(
        &self,
        below: &ScopedTable<'_, 'b, M>,
        relation: &'static Relation,
        climb: &'b Climb,
        out: &mut Out<'_, 'b, M>,
    ) -> QueryResult<()> {
        // The walk knows nothing of the row, so it takes place once.
        let is_text = !relation.is_looked_up();
        if is_text {
            out.push_sql("EXISTS (SELECT 1");
            below.write_from(out)?;
            out.push_sql(" WHERE ");
            below.write_column(relation.related.name, out)?;
            out.push_sql(" = ");
            self.write_column(relation.own.name, out)?;
            out.push_sql(" AND ");
            below.write_column(relation.related.name, out)?;
        } else {
            self.write_column(relation.own.name, out)?;
        }
        let form = self.form.for_rows(&climb.base);
        form.write_in(out);
        out.push_sql("WITH RECURSIVE ");
        self.write_name(DOWN, out);
        out.push_sql(" (place) AS (SELECT ");
        below.write_column(relation.related.name, out)?;
        below.write_from(out)?;
        out.push_sql(" WHERE ");
        below.write(&climb.base, out)?;
        out.push_sql(" UNION SELECT ");
        below.write_column(relation.related.name, out)?;
        below.write_from(out)?;
        out.push_sql(" INNER JOIN ");
        self.write_name(DOWN, out);
        out.push_sql(" ON ");
        self.write_name(DOWN, out);
        out.push_sql(".place = ");
        below.write_column(relation.own.name, out)?;
        out.push_sql(" WHERE ");
        below.write(&climb.step, out)?;
        out.push_sql(") SELECT place FROM ");
        self.write_name(DOWN, out);
        form.write_in_end(out);
        out.push_sql(if is_text { "))" } else { ")" });
        Ok(())
    }

    fn write_as_number(&self, tree: &'b Tree, out: &mut Out<'_, 'b, M>) -> QueryResult<()> {
        out.push_sql("CASE WHEN ");
        self.write(tree, out)?;
        out.push_sql(" THEN 1 ELSE 0 END");
        Ok(())
    }
}
