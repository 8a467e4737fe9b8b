//! What the payment provider sends, as far as the face decides about it.

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use crate::client::Server;

#[tokio::test]
async fn each_end_of_a_webhook_has_its_status() {
    let server = Server::start().await;
    let large = "x".repeat(300 * 1024);
    for (signature, body, status) in [
        (Some("right"), "{}", StatusCode::OK),
        (Some("wrong"), "{}", StatusCode::BAD_REQUEST),
        (None, "{}", StatusCode::BAD_REQUEST),
        (Some("right"), "nonsense", StatusCode::BAD_REQUEST),
        (Some("untaken"), "{}", StatusCode::NOT_FOUND),
        (Some("right"), "away", StatusCode::SERVICE_UNAVAILABLE),
        (Some("right"), &large, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let request = server.client.post(server.url("/webhooks/payments"));
        let mut request = request.body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("Stripe-Signature", signature);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{signature:?}");
        let comes_again = answer.headers().contains_key(RETRY_AFTER);
        assert_eq!(comes_again, status == StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.text().await.unwrap(), "", "nothing is told");
    }
}
