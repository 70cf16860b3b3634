//! Rows of other tables that the server deleted along with the missing ones.

use std::collections::{HashSet, VecDeque};

use super::{
    Absent, Along, Cause, Work,
    foreign_keys::{self, ForeignKey},
    live_tables::{self, LiveTable},
};
use crate::{format::TableData, schema::Name};

impl<'a> Work<'a> {
    /// Follows `on delete cascade` from the missing rows to the rows of the backup that
    /// referred to them and are missing too, in tables that were not asked for.
    pub(super) async fn deleted_along(&self, absent: &[Absent<'a>]) -> Result<Vec<Along>, Cause> {
        let tables = &self.source.manifest.tables;
        let wholes = live_tables::wholes(self.session, tables.iter()).await?;
        let mut seen: HashSet<Name> = absent.iter().map(|rows| rows.table.name.clone()).collect();
        let mut open: VecDeque<(Name, Vec<String>, String)> = absent
            .iter()
            .filter(|rows| rows.rows > 0)
            .map(|rows| {
                (
                    rows.table.name.clone(),
                    rows.table.shared.clone(),
                    rows.place.clone(),
                )
            })
            .collect();
        let mut along = Vec::new();
        let mut number = absent.len();
        while let Some((with, columns, place)) = open.pop_front() {
            for key in foreign_keys::to(self.session, &with).await? {
                let known = key.keys.iter().all(|column| columns.contains(column));
                if !key.cascades || !known || seen.contains(&key.table) {
                    continue;
                }
                let of_whole = |data: &&TableData| wholes.get(&data.table) == Some(&key.table);
                let parts: Vec<_> = tables.iter().filter(of_whole).collect();
                let Some(rows) = self.referring(&key, parts, &place, number).await? else {
                    continue;
                };
                number += 1;
                if rows.rows > 0 {
                    seen.insert(key.table.clone());
                    along.push(Along {
                        table: key.table.clone(),
                        with: with.clone(),
                        rows: rows.rows,
                    });
                    open.push_back((key.table, rows.table.shared, rows.place));
                }
            }
        }
        Ok(along)
    }

    /// The rows that referred to missing ones and are missing; `None` if the backup has
    /// no rows of their table.
    async fn referring(
        &self,
        key: &ForeignKey,
        parts: Vec<&'a TableData>,
        place: &str,
        number: usize,
    ) -> Result<Option<Absent<'a>>, Cause> {
        if parts.is_empty() {
            return Ok(None);
        }
        let table = LiveTable::read(self.session, key.table.clone(), parts).await?;
        if !table.takes(&key.columns) {
            return Ok(None);
        }
        let refers = format!("exists (select from {place} p where {})", key.matches);
        self.absent_rows(table, number, Some(&refers))
            .await
            .map(Some)
    }
}
