//! Messages of a socket: read, or refused by an answer that is JSON and carries the request's id.

use serde_json::Value;

use crate::http_body::submit;
use crate::venues;

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    venues::with_market(|market| match gateway::fuzzing::message(text, market) {
        Ok(Some(request)) => submit(&request),
        Ok(None) => {}
        Err(answer) => check_refusal(text, &answer),
    });
}

fn check_refusal(text: &str, answer: &str) {
    let answer: Value = serde_json::from_str(answer).expect("an answer is JSON");
    let status = answer["status"].as_u64().expect("it has a status");
    assert!((400..500).contains(&status), "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    let id = &answer["id"];
    if !id.is_null() {
        let asked: Value = serde_json::from_str(text).expect("it had an id");
        assert_eq!(*id, asked["id"]);
    }
}
