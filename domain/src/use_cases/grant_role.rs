//! Gives somebody a role, by the right of having the shop's data folder.

use crate::account::{Account, Email, Role};
use crate::act::{Act, Alteration, BY_COMMAND, Deed};
use crate::ports::Ports;
use crate::{ActId, Fault};

/// Who gets which role.
pub struct GrantRole {
    pub email: Email,
    pub role: Role,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Granted {
    Done {
        before: Role,
    },
    /// They had it.
    AsItWas,
    /// Nobody has an account with that address.
    Nobody,
}

/// How often it is looked again when somebody else changes the role in between.
const MOST_TRIES: usize = 3;

/// Gives an account that is there a role, with an act in the audit log. Access tokens that are out
/// say the old role until they are over; where that was the higher one, all sessions end with it.
///
/// # Errors
/// A fault of the ledger, or somebody who changes the same role again and again.
pub async fn grant_role(ports: &Ports, command: GrantRole) -> Result<Granted, Fault> {
    for _ in 0..MOST_TRIES {
        let account = ports.accounts.by_email(&command.email).await?;
        let Some(account) = account else {
            return Ok(Granted::Nobody);
        };
        let before = account.role;
        if before == command.role {
            return Ok(Granted::AsItWas);
        }
        let act = act(ports, &account, command.role);
        let changed = ports
            .accounts
            .change_role(account.id, before, command.role, &act);
        if changed.await? {
            return Ok(Granted::Done { before });
        }
    }
    let text = "somebody else changes the same one all the time";
    Err(Fault::unavailable("changing a role", text))
}

fn act(ports: &Ports, account: &Account, role: Role) -> Act {
    Act {
        id: ActId(ports.sortable_id()),
        operator: BY_COMMAND,
        at: ports.clock.now(),
        deed: Deed::GrantRole,
        subject: account.id.0,
        note: None,
        changes: Alteration::of_role(account.role, role),
    }
}
