//! `firstcome grant`: roles, by the right of having the shop's data folder. So the first admin is
//! made.

use std::io;
use std::process::ExitCode;

use adapters::config::Config;
use clap::ValueEnum;
use domain::Fault;
use domain::account::{Email, Role};
use domain::use_cases::grant_role::{GrantRole, Granted, grant_role};

use crate::compose::World;

const DOING: &str = "granting a role";

/// The options of `firstcome grant`.
#[derive(clap::Args)]
pub struct GrantArgs {
    /// The role. Each may do all that the one before may.
    role: RoleName,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Customer,
    Seller,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Customer => Self::Customer,
            RoleName::Seller => Self::Seller,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Reads an e-mail address from standard input (what stands in a command line, every user of the
/// machine can read), and gives its account the role. Fails when nobody has such an account.
///
/// # Errors
/// No address, or a shop that can't be opened.
pub async fn run(config: &Config, args: &GrantArgs) -> Result<ExitCode, Fault> {
    let email = email()?;
    let role = Role::from(args.role);
    let name = args.role.to_possible_value();
    let name = name.map_or(String::new(), |name| name.get_name().to_uppercase());
    let world = World::open(config).await?;
    let granted = grant_role(&world.ports, GrantRole { email, role }).await;
    world.close().await?;
    let code = match granted? {
        Granted::Done { before } if before > role => {
            println!(
                "The account is {name} from now on, and no longer {}; its sessions have ended.",
                format!("{before:?}").to_uppercase()
            );
            ExitCode::SUCCESS
        }
        Granted::Done { .. } => {
            println!("The account is {name} from its next access token on.");
            ExitCode::SUCCESS
        }
        Granted::AsItWas => {
            println!("The account is {name} already.");
            ExitCode::SUCCESS
        }
        Granted::Nobody => {
            eprintln!("firstcome: nobody has an account with that address: sign up first");
            ExitCode::FAILURE
        }
    };
    Ok(code)
}

fn email() -> Result<Email, Fault> {
    use io::IsTerminal;
    if io::stdin().is_terminal() {
        eprint!("E-mail address of the account: ");
    }
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .map_err(|error| Fault::unavailable(DOING, error))?;
    Email::parse(&line).map_err(|_| {
        let text = "standard input has no e-mail address in its first line";
        Fault::corrupt(DOING, text)
    })
}
