//! The hidden role that a rehearsal starts to know what the machine could do at most: a server that
//! does nothing. It ends with whoever started it.

use std::io;
use std::process::ExitCode;
use std::thread;

use domain::Fault;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Prints its URL, and serves until its standard input is closed.
///
/// # Errors
/// No port is free, or it can't serve.
pub async fn run() -> Result<ExitCode, Fault> {
    let fault = |error: io::Error| Fault::unavailable("serving the floor", error);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    println!("http://{address}/graphql");
    let (closed, is_closed) = oneshot::channel::<()>();
    thread::spawn(move || {
        // Nothing is ever written to it; however reading ends, nobody is there any more.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(closed);
    });
    tokio::select! {
        served = api::floor::serve(listener) => served.map_err(fault)?,
        _ = is_closed => {}
    }
    Ok(ExitCode::SUCCESS)
}
