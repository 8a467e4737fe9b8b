//! `stripe-mock`: Stripe's API as its own description has it, without anything behind it. A Go module;
//! built once where there is a Go toolchain.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use super::home::{Home, Lifetime};
use super::server::{Recipe, Server, run};
use super::{packages, port};
use crate::Failure;

const MODULE: &str = "github.com/stripe/stripe-mock";
const VERSION: &str = "v0.203.0";

/// A `stripe-mock` of our own.
pub struct StripeMock {
    server: Server,
    _home: Home,
}

impl StripeMock {
    /// Whether it can be had here: it was built before, or can be.
    pub fn is_at_hand() -> bool {
        program().is_file() || run(Command::new("go").arg("version")).is_ok()
    }

    /// Started, after building it if nobody has.
    pub fn launch() -> Result<Self, Failure> {
        let program = built()?;
        let mut home = Home::new("stripe-mock", Lifetime::Ours)?;
        let port = port::free()?;
        let address = format!("127.0.0.1:{port}");
        let arguments = ["-http-addr", &address, "-strict-version-check"];
        let server = Server::launch(Recipe {
            name: "stripe-mock".to_owned(),
            program,
            arguments: arguments.map(OsString::from).into(),
            port,
            probe: listens,
            end_with: "TERM",
            never_root: false,
            log: home.path().join("stripe-mock.log"),
            lifetime: Lifetime::Ours,
        })?;
        home.settled();
        Ok(Self {
            server,
            _home: home,
        })
    }

    /// Where it is: `http://127.0.0.1:21000`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }
}

fn listens(port: u16) -> Result<(), String> {
    let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    connected.map(drop).map_err(|error| error.to_string())
}

fn folder() -> PathBuf {
    packages::folder().join(format!("stripe-mock-{VERSION}"))
}

fn program() -> PathBuf {
    folder().join("stripe-mock")
}

fn built() -> Result<PathBuf, Failure> {
    let program = program();
    if program.is_file() {
        return Ok(program);
    }
    // One at a time, and the second one finds it done.
    let _lock = packages::lock(&folder())?;
    if !program.is_file() {
        eprintln!("building stripe-mock {VERSION}");
        let module = format!("{MODULE}@{VERSION}");
        let mut go = Command::new("go");
        go.args(["install", &module]).env("GOBIN", folder());
        run(&mut go)?;
    }
    Ok(program)
}
