//! Why a cycle ended early. Whatever it was, nothing was sent that is not in the journal.

use crate::apply::SettleError;
use crate::desired::SelectGroupsError;
use crate::duo::ReadError;
use crate::report::plain;
use crate::scim::RequestError;
use crate::store::StoreError;

/// Why a cycle ended early.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// The source could not be read completely, or refused us.
    #[error("Duo could not be read completely; nothing was sent")]
    Source(#[from] ReadError),
    /// Selectors that cannot be followed.
    #[error("the groups to sync cannot be selected; nothing was sent\n  {}", lines(.0))]
    Scope(Vec<SelectGroupsError>),
    /// The target could not be read.
    #[error("Atlassian could not be read; nothing was sent")]
    Target(#[source] RequestError),
    /// What became of earlier requests could not be found out.
    #[error("Atlassian could not be asked about requests that were cut off earlier; nothing new was sent")]
    Unsettled(#[source] RequestError),
    /// The same, for as long as a start may wait.
    #[error(
        "looking up what became of requests that were cut off earlier takes too long; the next cycle goes on with it"
    )]
    SettlingTooLong,
    /// A saved plan that does not hold any more.
    #[error("the saved plan is stale, and nothing was sent; what moved since:\n  {}", lines(.0))]
    Stale(Vec<String>),
    /// The database is not trusted, and what is asked for must not be done with it.
    #[error("{0}; nothing was sent. Run `sync` first: it reads Atlassian, and holds what follows from it for you")]
    Untrusted(String),
    /// Something that is asked for is not there.
    #[error("{0}; nothing was sent")]
    Unknown(String),
    /// The database.
    #[error("the database could not be used; nothing more was sent")]
    Store(#[from] StoreError),
}

/// One line each: a name from outside forges none.
fn lines<T: ToString>(sentences: &[T]) -> String {
    sentences.iter().map(|sentence| plain(&sentence.to_string()).into_owned()).collect::<Vec<_>>().join("\n  ")
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
            Self::Target(_) | Self::Unsettled(_) | Self::SettlingTooLong => 4,
            Self::Untrusted(_) => 5,
            Self::Stale(_) => 7,
            Self::Unknown(_) => 2,
            Self::Store(_) => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CycleError;

    #[test]
    fn a_name_with_a_line_break_forges_no_line() {
        let error = CycleError::Stale(vec!["a\n  create:DU1: fine".to_owned(), "b".to_owned()]);
        assert!(error.to_string().ends_with("since:\n  a\\n  create:DU1: fine\n  b"), "{error}");
    }
}
