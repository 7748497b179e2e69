//! The list of all codes, as Markdown.

use std::fmt::Write;

use types::RejectCode;

use crate::error::{ErrorCode, GatewayCode};

const HEAD: &str = "# Error codes

Generated from the code; do not edit. Names and numbers are stable and never reused.

An error is answered with its HTTP status and the body
`{\"error\":{\"code\":\"InsufficientBalance\",\"number\":502,\"message\":\"...\",\"retryable\":false,\"request_id\":\"...\"}}`.
*Retryable*: the same request may succeed later without a change of its own.

";

/// The text of `docs/error-codes.md`.
#[must_use]
pub fn error_codes_markdown() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("## The exchange's\n\nIn order of precedence: the log, HTTP, WebSocket and SQL say the same.\n\n");
    table(&mut text, RejectCode::ALL.iter().map(|&code| ErrorCode::Rejected(code)));
    text.push_str("\n## The gateway's\n\n");
    table(&mut text, GatewayCode::ALL.iter().map(|&code| ErrorCode::Gateway(code)));
    text
}

fn table(text: &mut String, codes: impl Iterator<Item = ErrorCode>) {
    text.push_str("| number | code | HTTP | retryable | meaning |\n|---|---|---|---|---|\n");
    for code in codes {
        let retryable = if code.is_retryable() { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {retryable} | {} |",
            code.number(),
            code.name(),
            code.status().as_u16(),
            code.text()
        );
    }
}
