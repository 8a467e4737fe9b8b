//! Settings that are read again while the shop runs.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Demo, Process, Sale, Server, Shop, Socket, code, until};

const READ: &str = "Settings were read again.";
const REFUSED: &str = "the settings were read again, and none was taken";

/// Everything that a running shop takes, and a thing that waits for its next start.
const STRICT: &str = r#"
    playground = false
    [graphql]
    origins = ["https://shop.example"]
    [limits]
    root_fields = 1
    spared = []
    [log]
    filter = "api=debug"
    [orders]
    hold = "1m"
    [rates]
    sign_in_per_peer = "2/1h"
"#;

/// What an answer's first error says; nothing where there is none.
async fn refusal(caller: &Caller, query: &str) -> Option<String> {
    let request = caller.request(Method::POST, "/graphql");
    let request = request.json(&json!({ "query": query }));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let code = answer["errors"][0]["extensions"]["code"].as_str();
    code.map(str::to_owned)
}

/// Whether pages of the shop's origin may read the answers.
async fn lets_pages_in(caller: &Caller) -> bool {
    let request = caller.request(Method::POST, "/graphql");
    let request = request.header("origin", "https://shop.example");
    let answer = request.json(&json!({ "query": "{ serverTime }" }));
    let answer = answer.send().await.unwrap();
    answer.headers().contains_key("access-control-allow-origin")
}

/// Each of its nodes is as strict as it was told, or not at all.
async fn assert_strict(server: &Server, is_strict: bool) {
    let expected = |code: &str| is_strict.then(|| code.to_owned());
    for _ in &server.nodes {
        let anybody = server.anybody();
        let two = "{ one: serverTime two: serverTime }";
        assert_eq!(refusal(&anybody, two).await, expected("LIMIT_EXCEEDED"));
        let schema = "{ __schema { queryType { name } } }";
        assert_eq!(
            refusal(&anybody, schema).await,
            expected("INTROSPECTION_DISABLED")
        );
        let page = anybody.request(Method::GET, "/").send().await.unwrap();
        assert_eq!(page.status().is_success(), !is_strict);
        assert_eq!(lets_pages_in(&anybody).await, is_strict);
    }
}

#[tokio::test]
async fn what_is_read_again_holds_from_then_on() {
    let shop = Shop::new();
    let server = shop.start().await;
    assert_strict(&server, false).await;
    let seller = server.sign_in(Demo::Seller).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let item = seller.sell(Sale::of(5)).await;
    let mut socket = Socket::stock_changed(&server.anybody(), &[&item]).await;
    assert_eq!(socket.next().await["stock"]["available"], 5);

    shop.write(STRICT);
    server.reload(READ).await;
    assert_strict(&server, true).await;
    for node in &server.nodes {
        let printed = node.process.printed();
        let new = "New from now on: graphql.origins, limits.root_fields, limits.spared, \
                   log.filter, playground, rates.sign_in_per_peer";
        assert!(printed.contains(new), "{printed}");
        let later = "New after a restart: orders.hold";
        assert!(printed.contains(later), "{printed}");
    }
    // Counted over the shop from one place, wherever that is asked.
    let (email, password) = shop.credentials(Demo::Customer);
    let mut codes = Vec::new();
    for _ in 0..3 {
        let payload = server.anybody().try_sign_in(&email, &password).await;
        codes.push(code(&payload).map(str::to_owned));
    }
    assert_eq!(codes, [None, None, Some("RATE_LIMITED".to_owned())]);
    // The log says what it did not say before.
    let address = server.url().strip_prefix("http://").unwrap();
    let mut noise = TcpStream::connect(address).unwrap();
    noise.write_all(b"this is no request\r\n\r\n").unwrap();
    let told = ["DEBUG", "a connection ended before its time"];
    until("a line of the new filter", || async {
        server.has_printed(&told).then_some(())
    })
    .await;
    // Whoever was there is served as before, and watches on.
    buyer.buy(&item, 2).await;
    socket.until(|event| event["stock"]["available"] == 3).await;

    shop.write("");
    server.reload(READ).await;
    assert_strict(&server, false).await;
    let payload = server.anybody().try_sign_in(&email, &password).await;
    assert_eq!(code(&payload), None, "{payload}");
    server.assert_clean().await;
}

const THREE: &str = "{ one: serverTime two: serverTime three: serverTime }";

/// Three root fields are too many, at each node.
async fn assert_bound(server: &Server, what: &str) {
    for _ in &server.nodes {
        let refused = refusal(&server.anybody(), THREE).await;
        assert_eq!(refused.as_deref(), Some("LIMIT_EXCEEDED"), "{what}");
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_change_nothing() {
    let shop = Shop::new();
    shop.write("[limits]\nroot_fields = 2");
    let server = shop.start().await;
    for (wrong, key) in [
        ("[limits]\nroot_fields = 0", "limits.root_fields"),
        (
            "[limits]\nroot_fields = 3\n[log]\nfilter = \"=\"",
            "log.filter",
        ),
        ("[limits]\nroot_fields = 3\nno_such = 1", "limits.no_such"),
        ("[limits", "firstcome.toml"),
    ] {
        shop.write(wrong);
        server.reload(REFUSED).await;
        assert!(server.has_printed(&["ERROR", REFUSED, key]), "{wrong}");
        assert_bound(&server, wrong).await;
    }
    // What only a face needs.
    shop.write(
        "playground = false\n[graphql]\ntrusted_documents = \"nowhere.json\"\n\
         [limits]\nroot_fields = 3",
    );
    for node in &server.nodes {
        node.process.reload(REFUSED).await;
    }
    let key = "graphql.trusted_documents";
    assert!(server.has_printed(&["ERROR", REFUSED, key]));
    assert_bound(&server, key).await;

    shop.write("[limits]\nroot_fields = 3");
    server.reload(READ).await;
    for _ in &server.nodes {
        assert_eq!(refusal(&server.anybody(), THREE).await, None);
    }
}

/// A hang-up is a message to whoever runs behind no terminal. At one, it means that it was closed.
#[tokio::test]
async fn a_closed_terminal_ends_what_was_started_there() {
    let shop = Shop::new();
    let server = shop.start().await;
    let command = shop.told(&[]);
    assert_eq!(server.stop().await, Some(0));
    let mut terminal = Command::new("/usr/bin/script");
    let program = command.get_program().to_str().unwrap();
    terminal
        .args([
            "--quiet",
            "--flush",
            "--command",
            &format!("exec {program}"),
        ])
        .arg("/dev/null")
        .current_dir(command.get_current_dir().unwrap())
        .env_clear();
    for (name, value) in command.get_envs() {
        terminal.env(name, value.unwrap());
    }
    let mut terminal = Process::start(terminal);
    let url = terminal.output.url().await.unwrap();
    let client = reqwest::Client::new();
    let live = async || client.get(format!("{url}/health/live")).send().await;
    assert!(live().await.unwrap().status().is_success());
    terminal.kill().await;
    until("the shop to end with its terminal", || async {
        live().await.is_err().then_some(())
    })
    .await;
    // It has left in order: the next start has nothing to wait for or to mend.
    let server = shop.start().await;
    server.assert_clean().await;
}
