//! Why a cycle ended early. Whatever it was, nothing was sent that is not in the journal.

use crate::apply::SettleError;
use crate::desired::SelectGroupsError;
use crate::duo::ReadError;
use crate::scim::RequestError;
use crate::store::StoreError;

/// Why a cycle ended early.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// The source could not be read completely, or refused us.
    #[error("Duo could not be read completely; nothing was sent")]
    Source(#[from] ReadError),
    /// Selectors that cannot be followed.
    #[error("the groups to sync cannot be selected; nothing was sent\n  {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    Scope(Vec<SelectGroupsError>),
    /// The target could not be read.
    #[error("Atlassian could not be read; nothing was sent")]
    Target(#[source] RequestError),
    /// What became of earlier requests could not be found out.
    #[error("Atlassian could not be asked about requests that were cut off earlier; nothing new was sent")]
    Unsettled(#[source] RequestError),
    /// A saved plan that does not hold any more.
    #[error("the saved plan is stale, and nothing was sent; what moved since:\n  {}", .0.join("\n  "))]
    Stale(Vec<String>),
    /// Something that is asked for is not there.
    #[error("{0}; nothing was sent")]
    Unknown(String),
    /// The database.
    #[error("the database could not be used; nothing more was sent")]
    Store(#[from] StoreError),
}

impl From<SettleError> for CycleError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::Target(source) => Self::Unsettled(source),
            SettleError::Store(source) => Self::Store(source),
        }
    }
}

impl CycleError {
    /// The exit code of a command that ends with this.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Source(_) | Self::Scope(_) => 3,
            Self::Target(_) | Self::Unsettled(_) => 4,
            Self::Stale(_) => 7,
            Self::Unknown(_) => 2,
            Self::Store(_) => 8,
        }
    }
}
