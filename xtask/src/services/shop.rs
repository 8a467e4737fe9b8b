//! The product itself, in one process and with nothing in it but its demo.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::home::{Home, Lifetime};
use super::port;
use super::server::{Recipe, Server};
use crate::Failure;

/// How long it may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// A shop in a folder of its own.
pub struct Shop {
    server: Server,
    home: Home,
}

impl Shop {
    /// Started from this binary with these settings, as lines of TOML, and ready.
    pub fn launch(program: &Path, settings: &str) -> Result<Self, Failure> {
        let mut home = Home::new("shop", Lifetime::Ours)?;
        let port = port::free()?;
        let data = home.path().join("data");
        let data = data.display();
        let settings = format!("data_dir = '{data}'\nlisten = '127.0.0.1:{port}'\n{settings}");
        let file = home.file("firstcome.toml", &settings)?;
        let server = Server::launch(Recipe {
            name: "shop".to_owned(),
            program: program.to_owned(),
            arguments: vec![OsString::from("--config"), file.into()],
            port,
            probe: is_ready,
            end_with: "TERM",
            never_root: false,
            log: home.path().join("shop.log"),
            lifetime: Lifetime::Ours,
        })?;
        home.settled();
        Ok(Self { server, home })
    }

    /// Its GraphQL endpoint: `http://127.0.0.1:21000/graphql`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/graphql", self.server.port())
    }

    /// The file with its demo's accounts.
    pub fn accounts(&self) -> PathBuf {
        self.home.path().join("data/demo-accounts.json")
    }
}

fn is_ready(port: u16) -> Result<(), String> {
    let answer = ask(port).map_err(|error| error.to_string())?;
    let status = answer.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        Ok(())
    } else {
        Err(status.to_owned())
    }
}

fn ask(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
