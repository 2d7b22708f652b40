//! The target, read whole, or as far as one person needs it.

use super::{CycleError, Progress, Services, Tell};
use crate::model::Observed;
use crate::model::Owned;
use crate::model::OwnedAccount;
use crate::model::ScimId;
use crate::scim::RequestError;

/// So many records that a reading lacks are asked for one by one; for more of them, everything is read a second time.
const ASKED_MAX: usize = 100;

/// Reads every user and every group.
///
/// A record of ours that is not in the lists would lose its link, and nobody would deactivate a leaver any more. So an
/// absence is confirmed here, too (S1): by its id, or by a second reading.
pub(super) async fn read_whole(owned: &Owned, services: &Services<'_>, tell: Tell<'_>) -> Result<Observed, CycleError> {
    let progress = |count| tell(Progress::ReadingTarget(count));
    let mut observed = services.scim.read_all(&progress).await.map_err(CycleError::Target)?;
    let accounts: Vec<&ScimId> = owned.accounts.values().map(|account| &account.scim_id).collect();
    let accounts: Vec<&ScimId> = accounts.into_iter().filter(|id| !observed.accounts.contains_key(*id)).collect();
    let groups: Vec<&ScimId> = owned.groups.values().map(|group| &group.scim_id).collect();
    let groups: Vec<&ScimId> = groups.into_iter().filter(|id| !observed.groups.contains_key(*id)).collect();
    if accounts.len() + groups.len() > ASKED_MAX {
        let again = services.scim.read_all(&progress).await.map_err(CycleError::Target)?;
        observed.accounts.extend(again.accounts);
        observed.groups.extend(again.groups);
        return Ok(observed);
    }
    read_into(&mut observed, (&accounts, &groups), services).await.map_err(CycleError::Target)?;
    Ok(observed)
}

/// Reads one account, and every group of ours.
pub(super) async fn read_for_one(
    owned: &Owned,
    account: &OwnedAccount,
    services: &Services<'_>,
) -> Result<Observed, CycleError> {
    let groups: Vec<&ScimId> = owned.groups.values().map(|group| &group.scim_id).collect();
    let mut observed = Observed::default();
    read_into(&mut observed, (&[&account.scim_id], &groups), services).await.map_err(CycleError::Target)?;
    Ok(observed)
}

async fn read_into(
    observed: &mut Observed,
    (accounts, groups): (&[&ScimId], &[&ScimId]),
    services: &Services<'_>,
) -> Result<(), RequestError> {
    for id in accounts {
        if let Some(account) = services.scim.read_user(id).await? {
            observed.accounts.insert((*id).clone(), account);
        }
    }
    for id in groups {
        if let Some(group) = services.scim.read_group(id).await? {
            observed.groups.insert((*id).clone(), group);
        }
    }
    Ok(())
}
