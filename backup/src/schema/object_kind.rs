//! What kinds of objects there are. Their order is the order in which objects
//! are made, as far as what they need leaves a choice.

use super::Stage;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Role,
    Schema,
    Extension,
    /// Whose an object is; it follows the object at once.
    Owner,
    /// A schema's, which the owners of what lies in it need.
    SchemaGrants,
    Collation,
    Type,
    Domain,
    DomainConstraint,
    /// What stands for a function that needs itself, until it is made.
    FunctionSignature,
    Function,
    Procedure,
    Aggregate,
    Operator,
    Cast,
    TextSearchDictionary,
    TextSearchConfiguration,
    ForeignDataWrapper,
    Server,
    UserMapping,
    LargeObject,
    Sequence,
    Table,
    ForeignTable,
    SequenceOwner,
    Default,
    Partition,
    /// What stands for a view that needs itself, until it is made.
    ViewColumns,
    View,
    MaterializedView,
    Constraint,
    Index,
    IndexPartition,
    Statistics,
    ForeignKey,
    Rule,
    Trigger,
    RowSecurity,
    Policy,
    Publication,
    PublicationTable,
    PublicationSchema,
    Grants,
    DefaultPrivileges,
    Setting,
    /// The database's own.
    Comment,
    /// The database's own.
    Privileges,
    /// Rows are computed once their owner may read what they are made of.
    MaterializedViewData,
    /// Last, so that none of them fires during a restore.
    EventTrigger,
}

impl Kind {
    const ALL: [Self; 49] = [
        Self::Role,
        Self::Schema,
        Self::Extension,
        Self::Owner,
        Self::SchemaGrants,
        Self::Collation,
        Self::Type,
        Self::Domain,
        Self::DomainConstraint,
        Self::FunctionSignature,
        Self::Function,
        Self::Procedure,
        Self::Aggregate,
        Self::Operator,
        Self::Cast,
        Self::TextSearchDictionary,
        Self::TextSearchConfiguration,
        Self::ForeignDataWrapper,
        Self::Server,
        Self::UserMapping,
        Self::LargeObject,
        Self::Sequence,
        Self::Table,
        Self::ForeignTable,
        Self::SequenceOwner,
        Self::Default,
        Self::Partition,
        Self::ViewColumns,
        Self::View,
        Self::MaterializedView,
        Self::Constraint,
        Self::Index,
        Self::IndexPartition,
        Self::Statistics,
        Self::ForeignKey,
        Self::Rule,
        Self::Trigger,
        Self::RowSecurity,
        Self::Policy,
        Self::Publication,
        Self::PublicationTable,
        Self::PublicationSchema,
        Self::Grants,
        Self::DefaultPrivileges,
        Self::Setting,
        Self::Comment,
        Self::Privileges,
        Self::MaterializedViewData,
        Self::EventTrigger,
    ];

    /// The kind that a query names.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Schema => "schema",
            Self::Extension => "extension",
            Self::Owner => "owner",
            Self::SchemaGrants => "schema grants",
            Self::Collation => "collation",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::FunctionSignature => "function signature",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Aggregate => "aggregate",
            Self::Operator => "operator",
            Self::Cast => "cast",
            Self::TextSearchDictionary => "text search dictionary",
            Self::TextSearchConfiguration => "text search configuration",
            Self::DomainConstraint => "domain constraint",
            Self::Sequence => "sequence",
            Self::ForeignDataWrapper => "foreign-data wrapper",
            Self::Server => "server",
            Self::UserMapping => "user mapping",
            Self::LargeObject => "large object",
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::SequenceOwner => "sequence owner",
            Self::Default => "default",
            Self::Partition => "partition",
            Self::ViewColumns => "view columns",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::IndexPartition => "index partition",
            Self::Statistics => "statistics",
            Self::ForeignKey => "foreign key",
            Self::Rule => "rule",
            Self::Trigger => "trigger",
            Self::RowSecurity => "row security",
            Self::Policy => "policy",
            Self::Publication => "publication",
            Self::PublicationTable => "publication table",
            Self::PublicationSchema => "publication schema",
            Self::Grants => "grants",
            Self::DefaultPrivileges => "default privileges",
            Self::Setting => "setting",
            Self::Comment => "comment",
            Self::Privileges => "privileges",
            Self::MaterializedViewData => "materialized view data",
            Self::EventTrigger => "event trigger",
        }
    }

    /// When an object of this kind is made, unless something needs it earlier. An owner
    /// comes when its object does.
    pub(super) const fn stage(self) -> Stage {
        match self {
            Self::Role
            | Self::Schema
            | Self::Extension
            | Self::SchemaGrants
            | Self::Collation
            | Self::Type
            | Self::Domain
            | Self::FunctionSignature
            | Self::Function
            | Self::Procedure
            | Self::Aggregate
            | Self::Operator
            | Self::Cast
            | Self::TextSearchDictionary
            | Self::TextSearchConfiguration
            | Self::ForeignDataWrapper
            | Self::Server
            | Self::UserMapping
            | Self::LargeObject
            | Self::ForeignTable
            | Self::DomainConstraint
            | Self::Sequence
            | Self::Table
            | Self::SequenceOwner
            | Self::Default
            | Self::Partition => Stage::Before,
            Self::Owner
            | Self::ViewColumns
            | Self::View
            | Self::MaterializedView
            | Self::Constraint
            | Self::Index
            | Self::IndexPartition
            | Self::Statistics
            | Self::ForeignKey
            | Self::Rule
            | Self::Trigger
            | Self::RowSecurity
            | Self::Policy
            | Self::Publication
            | Self::PublicationTable
            | Self::PublicationSchema
            | Self::Grants
            | Self::DefaultPrivileges
            | Self::Setting
            | Self::Comment
            | Self::Privileges
            | Self::MaterializedViewData
            | Self::EventTrigger => Stage::After,
        }
    }

    /// Whether it only adds to an object that another statement makes, under
    /// whose catalog row it stands.
    pub(super) const fn is_addition(self) -> bool {
        matches!(
            self,
            Self::Owner
                | Self::SchemaGrants
                | Self::SequenceOwner
                | Self::Partition
                | Self::IndexPartition
                | Self::RowSecurity
                | Self::Grants
                | Self::MaterializedViewData
        )
    }

    /// Whether it gives roles privileges.
    pub(super) const fn is_privileges(self) -> bool {
        matches!(
            self,
            Self::Grants | Self::SchemaGrants | Self::DefaultPrivileges | Self::Privileges
        )
    }

    /// Whether its name needs no schema before it.
    pub(super) const fn is_named_by_address(self) -> bool {
        matches!(
            self,
            Self::Schema
                | Self::Owner
                | Self::SchemaGrants
                | Self::Grants
                | Self::DefaultPrivileges
        )
    }

    /// Whether there are rows in it, or a sequence's state.
    pub(super) const fn holds_rows(self) -> bool {
        matches!(self, Self::Table | Self::Sequence | Self::MaterializedView)
    }

    /// Whether everything else may need it.
    pub(super) const fn is_foundation(self) -> bool {
        matches!(self, Self::Role | Self::Extension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_in_order_under_its_own_word() {
        assert!(Kind::ALL.is_sorted());
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
    }
}
