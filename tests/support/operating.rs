//! What operators do in the back office.

use serde_json::{Value, json};

use super::Caller;

const LETTER: &str = "id group topic partition offset reason attempts putAsideAt whole payload
    payloadBase64 settledAt settlement";

impl Caller {
    /// The newest dead letters that nobody has settled yet, a hundred at most.
    pub async fn open_dead_letters(&self) -> Vec<Value> {
        let document = format!(
            "{{ backOffice {{ deadLetters(first: 100, filter: {{ settled: false }}) {{
                nodes {{ {LETTER} }} }} }} }}"
        );
        let mut data = self.ask(&document, json!({})).await;
        let letters = data["backOffice"]["deadLetters"]["nodes"].take();
        letters.as_array().unwrap().clone()
    }

    /// A dead letter; null when there is none.
    pub async fn dead_letter(&self, id: &str) -> Value {
        let document =
            format!("query($id: ID!) {{ backOffice {{ deadLetter(id: $id) {{ {LETTER} }} }} }}");
        let mut data = self.ask(&document, json!({ "id": id })).await;
        data["backOffice"]["deadLetter"].take()
    }

    pub async fn replay_dead_letter(&self, id: &str, key: &str) -> Value {
        let document = format!(
            "mutation($input: ReplayDeadLetterInput!) {{ replayDeadLetter(input: $input) {{
                deadLetter {{ {LETTER} }} replayed userErrors {{ code field message }} }} }}"
        );
        let input = json!({ "letterId": id, "idempotencyKey": key });
        self.mutate(&document, input).await
    }

    pub async fn drop_dead_letter(&self, id: &str, key: &str, note: &str) -> Value {
        let document = format!(
            "mutation($input: DropDeadLetterInput!) {{ dropDeadLetter(input: $input) {{
                deadLetter {{ {LETTER} }} replayed userErrors {{ code field message }} }} }}"
        );
        let input = json!({ "letterId": id, "idempotencyKey": key, "note": note });
        self.mutate(&document, input).await
    }

    /// What operators did, the newest first: deeds, notes, and what was before and after.
    pub async fn audit_log(&self) -> Vec<Value> {
        let document = "{ backOffice { auditLog(first: 100) {
            nodes { deed note changes { what before after } } } } }";
        let mut data = self.ask(document, json!({})).await;
        let acts = data["backOffice"]["auditLog"]["nodes"].take();
        acts.as_array().unwrap().clone()
    }
}
