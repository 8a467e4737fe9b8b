//! Who people are: their names and numbers, and the roles that an operator gives them.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::json;

use crate::support::{Demo, Shop, code, until};

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn names_and_numbers_of_anybody_are_taken() {
    let shop = Shop::new();
    let server = shop.start().await;
    let anybody = server.anybody();
    // As both systems before had them, and as anybody else does.
    for (at, (name, phone)) in [
        ("김", "010-1234-5678"),
        ("가나다라마바사아자차", "02-123-4567"),
        ("Ørjan O'Neill-Smith Jr.", "+47 (0)22 12 34 56 ext. 7"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("person{at}@example.com");
        anybody.request_verification(&email).await;
        let mailed = server.mailed_code(&email).await;
        let input = json!({
            "email": email, "code": mailed, "password": PASSWORD, "name": name, "phone": phone,
        });
        let payload = anybody.sign_up(input).await;
        assert_eq!(code(&payload), None, "{payload}");
        let caller = anybody.sign_in(&email, PASSWORD).await;
        let document = "{ viewer { profile { name phone } } }";
        let read = caller.ask(document, json!({})).await;
        let profile = json!({ "name": name, "phone": phone });
        assert_eq!(read["viewer"]["profile"], profile);
    }
    let input = json!({
        "email": "person9@example.com", "code": "12345678", "password": PASSWORD,
        "name": "김", "phone": "call me",
    });
    let document = "mutation($input: SignUpInput!) { signUp(input: $input) { account { id }
        userErrors { code field message ... on InvalidInput { rule } } } }";
    let payload = anybody.mutate(document, input).await;
    let refused = json!([{
        "code": "INVALID_INPUT", "field": ["phone"], "rule": "PHONE",
        "message": "Must be a telephone number.",
    }]);
    assert_eq!(payload["userErrors"], refused);
    server.assert_clean().await;
}

/// The command with this on its standard input.
async fn grant(shop: &Shop, role: &str, typed: &str) -> Output {
    let mut command = shop.command(&["grant", role]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let typed = typed.to_owned();
    let running = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(typed.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    });
    running.await.unwrap()
}

fn said(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr];
    texts
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}

#[tokio::test]
async fn the_first_admin_is_made_by_a_command() {
    let shop = Shop::new();
    let server = shop.start().await;
    let kim = server.sign_up("kim").await;
    let refused = kim.post(
        "{ backOffice { auditLog(first: 1) { nodes { deed } } } }",
        json!({}),
    );
    let refused = refused.await;
    assert!(refused["data"]["backOffice"].is_null(), "{refused}");

    let output = grant(&shop, "admin", "nobody@example.com\n").await;
    assert!(!output.status.success());
    assert!(
        said(&output).contains("nobody has an account"),
        "{output:?}"
    );
    assert!(!said(&output).contains("nobody@"), "{output:?}");
    let output = grant(&shop, "admin", "\n").await;
    assert!(!output.status.success());
    assert!(said(&output).contains("no e-mail address"), "{output:?}");

    let output = grant(&shop, "admin", " Kim@Example.com \n").await;
    assert!(output.status.success(), "{output:?}");
    assert!(said(&output).contains("ADMIN"), "{output:?}");
    assert!(!said(&output).to_lowercase().contains("kim@"), "{output:?}");
    let output = grant(&shop, "admin", "kim@example.com").await;
    assert!(said(&output).contains("ADMIN already"), "{output:?}");

    let kim = server.anybody().sign_in("kim@example.com", PASSWORD).await;
    let id = kim.ask("{ viewer { profile { id } } }", json!({})).await;
    let document = "{ backOffice { auditLog(first: 9) { nodes {
        deed subject operatorId changes { what before after } } } } }";
    let log = kim.ask(document, json!({})).await;
    let acts = &log["backOffice"]["auditLog"]["nodes"];
    assert_eq!(acts.as_array().unwrap().len(), 1, "{acts}");
    assert_eq!(acts[0]["deed"], "GRANT_ROLE");
    let role = json!([{ "what": "role", "before": "CUSTOMER", "after": "ADMIN" }]);
    assert_eq!(acts[0]["changes"], role);
    assert!(id["viewer"]["profile"]["id"].is_string(), "{id}");

    let output = grant(&shop, "customer", "kim@example.com").await;
    assert!(said(&output).contains("no longer ADMIN"), "{output:?}");
    // What it was signed in with as an admin is over, on every node.
    for url in server.urls() {
        let kim = kim.at(url);
        until("the admin's token to be refused", || async {
            let answer = kim.post("{ viewer { profile { role } } }", json!({})).await;
            answer["data"]["viewer"]["profile"].is_null().then_some(())
        })
        .await;
    }
    let kim = server.anybody().sign_in("kim@example.com", PASSWORD).await;
    let refused = kim.post(document, json!({})).await;
    assert!(refused["data"]["backOffice"].is_null(), "{refused}");
    // The demo's admin sees both.
    let admin = server.sign_in(Demo::Admin).await;
    assert_eq!(admin.audit_log().await.len(), 2);
    server.assert_clean().await;
}
