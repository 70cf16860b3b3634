//! Rows for people who may not see whose they are: a restore whose personal columns are masked
//! before the database sees them.
//!
//! - `mask_kind`: what a mask makes of a value
//! - `mask_file`: which column has which mask, as people write it
//! - `personal_columns`: columns that look as if they were about somebody
//! - `masked_tables`: the masks of a backup's tables, held against its foreign keys, and applied

mod mask_file;
mod mask_kind;
mod masked_tables;
mod personal_columns;

pub use mask_file::{ColumnName, MaskFile, MaskFileError};
pub use mask_kind::MaskKind;
pub use masked_tables::{Apart, MaskError, Masking, template};
pub(crate) use masked_tables::{MaskedTable, MaskedTables};
pub use personal_columns::PersonalColumn;
