//! Private ports on 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::Failure;

/// Below the ports that outgoing connections are given (32,768 and up on Linux): a client that
/// keeps knocking at a stopped server's port could otherwise be given that very port for its own
/// end, and the server could not come back.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
/// So that processes that start at the same moment look in different places.
const STRIDE: u16 = 97;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A port on which nothing listens. This process never gives it out twice within a round of all of
/// them; another one may take it before its server does, and that server then says so.
pub fn free() -> Result<u16, Failure> {
    for _ in 0..COUNT {
        let port = candidate(std::process::id(), TAKEN.fetch_add(1, Ordering::Relaxed));
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no port is free".into())
}

fn candidate(process: u32, index: u16) -> u16 {
    let [low, high, ..] = process.to_le_bytes();
    let start = u16::from_le_bytes([low, high]).wrapping_mul(STRIDE) % COUNT;
    FIRST + (start + index % COUNT) % COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stay_in_their_range() {
        for process in [0, 1, 123, 4_000_000, u32::MAX] {
            for index in [0, 1, COUNT - 1, COUNT, u16::MAX] {
                let port = candidate(process, index);
                assert!((FIRST..FIRST + COUNT).contains(&port), "{port}");
            }
        }
    }

    #[test]
    fn two_askers_get_two_ports() {
        assert_ne!(free().unwrap(), free().unwrap());
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let next = candidate(std::process::id(), TAKEN.load(Ordering::Relaxed) + 5);
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, next));
        for _ in 0..20 {
            assert_ne!(free().unwrap(), next);
        }
    }
}
