//! Frames as such: lengths, pings, reserved bits, opcodes, parts, UTF-8, closing, limits.

use websocket::client::first::{BINARY, CLOSE, END, MIDDLE, PING, PONG, TEXT, TEXT_BEGIN};
use websocket::client::frame;

use crate::talk::{Case, LIMIT, Told, close, echo_server, fine, play, wrong};

/// Each byte by itself.
fn chopped(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.iter().map(|&byte| vec![byte]).collect()
}

fn text(text: &str) -> Told {
    Told::Text(text.to_owned())
}

#[tokio::test]
async fn messages_of_every_length_come_back_however_they_are_cut() {
    let mut cases = Vec::new();
    for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, LIMIT] {
        let (content, bytes) = ("*".repeat(length), vec![0xfe; length]);
        let sent = vec![frame(TEXT, content.as_bytes()), frame(BINARY, &bytes)];
        cases.push(fine("whole", sent, vec![text(&content), Told::Binary(bytes)]));
        let half = length / 2;
        let (begin, end) = content.split_at(half);
        let sent = vec![frame(TEXT_BEGIN, begin.as_bytes()), frame(END, end.as_bytes())];
        cases.push(fine("in two parts", sent, vec![text(&content)]));
    }
    let hello = frame(TEXT, b"Hello, world");
    cases.push(fine("bytewise", chopped(&hello), vec![text("Hello, world")]));
    let two = [hello.clone(), frame(TEXT, b"again")].concat();
    cases.push(fine("two at once", vec![two], vec![text("Hello, world"), text("again")]));
    let mut parts = vec![frame(TEXT_BEGIN, b"")];
    parts.extend((0..500).map(|_| frame(MIDDLE, b"ab")));
    parts.push(frame(END, b""));
    cases.push(fine("many parts", parts, vec![text(&"ab".repeat(500))]));
    play(echo_server(None).await, None, cases).await;
}

#[tokio::test]
async fn pings_are_answered_with_what_they_carry_also_within_a_message() {
    let pong = |content: &[u8]| Told::Pong(content.to_vec());
    let many: Vec<_> = (0..10_u8).map(|n| frame(PING, &[n])).collect();
    let cases = vec![
        fine("empty", vec![frame(PING, b"")], vec![pong(b"")]),
        fine("of bytes", vec![frame(PING, &[0, 0xff, 0xfe])], vec![pong(&[0, 0xff, 0xfe])]),
        fine("longest", vec![frame(PING, &[9; 125])], vec![pong(&[9; 125])]),
        fine("bytewise", chopped(&frame(PING, b"there?")), vec![pong(b"there?")]),
        fine("in order", many, (0..10).map(|n| pong(&[n])).collect()),
        wrong("too long", vec![frame(PING, &[9; 126])], 1002),
        wrong("in parts", vec![frame(PING & 0x7f, b"x")], 1002),
        fine("unasked pong", vec![frame(PONG, b"x"), frame(PING, b"y")], vec![pong(b"y")]),
        fine(
            "within a message",
            vec![frame(TEXT_BEGIN, b"be"), frame(PING, b"?"), frame(END, b"gin")],
            vec![pong(b"?"), text("begin")],
        ),
    ];
    play(echo_server(None).await, None, cases).await;
}

#[tokio::test]
async fn what_the_protocol_does_not_know_ends_the_connection() {
    let mut cases = Vec::new();
    for reserved in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        for first in [TEXT, BINARY, PING, PONG, CLOSE, END] {
            cases.push(wrong("reserved bits", vec![frame(first | reserved, b"x")], 1002));
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        cases.push(wrong("opcode", vec![frame(0x80 | opcode, b"")], 1002));
        let (hello, bad) = (frame(TEXT, b"Hello"), frame(0x80 | opcode, b"x"));
        let told = vec![text("Hello"), Told::Close(Some(1002))];
        cases.push(Case { name: "opcode behind a message", sent: vec![hello, bad], told });
    }
    let mut unmasked = frame(TEXT, b"x");
    unmasked[1] &= 0x7f;
    cases.push(wrong("unmasked", vec![unmasked], 1002));
    let begin = || frame(TEXT_BEGIN, b"x");
    cases.push(wrong("end of nothing", vec![frame(END, b"x")], 1002));
    cases.push(wrong("middle of nothing", vec![frame(MIDDLE, b"x")], 1002));
    cases.push(wrong("text within a text", vec![begin(), frame(TEXT, b"x")], 1002));
    cases.push(wrong("bytes within a text", vec![begin(), frame(BINARY, b"x")], 1002));
    let told = vec![text("xx"), Told::Close(Some(1002))];
    let sent = vec![begin(), frame(END, b"x"), frame(END, b"x")];
    cases.push(Case { name: "end of what has ended", sent, told });
    play(echo_server(None).await, None, cases).await;
}

#[tokio::test]
async fn a_text_is_utf8_and_what_cannot_become_it_is_refused_at_once() {
    let valid: [&[u8]; 8] = [
        "κόσμε".as_bytes(),
        "Hello-µ@ßöäüàá-UTF-8!!".as_bytes(),
        b"\x00",
        b"\xef\xbf\xbf",
        b"\xf4\x8f\xbf\xbf",
        b"\xed\x9f\xbf",
        b"\xee\x80\x80",
        b"\xf0\x90\x80\x80",
    ];
    let invalid: [&[u8]; 12] = [
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\xf4\x90\x80\x80",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"\x80",
        b"\xc3\x28",
        b"\xe2\x82\x28",
    ];
    let mut cases = Vec::new();
    for bytes in valid {
        let told = || vec![text(std::str::from_utf8(bytes).unwrap())];
        cases.push(fine("whole", vec![frame(TEXT, bytes)], told()));
        let mut parts = vec![frame(TEXT_BEGIN, b"")];
        parts.extend(bytes.iter().map(|&byte| frame(MIDDLE, &[byte])));
        parts.push(frame(END, b""));
        cases.push(fine("cut within characters", parts, told()));
        cases.push(fine("bytewise", chopped(&frame(TEXT, bytes)), told()));
    }
    for bytes in invalid {
        cases.push(wrong("whole", vec![frame(TEXT, bytes)], 1007));
        let parts = bytes.iter().map(|&byte| frame(MIDDLE, &[byte]));
        let parts = [frame(TEXT_BEGIN, b"")].into_iter().chain(parts);
        cases.push(wrong("in parts that never end", parts.collect(), 1007));
        let mut cut = frame(TEXT, &[bytes, &[b'x'; 100]].concat());
        cut.truncate(cut.len() - 100);
        cases.push(wrong("in a frame that never ends", vec![cut], 1007));
    }
    cases.push(wrong("ends within a character", vec![frame(TEXT, b"x\xf0\x90\x80")], 1007));
    let sent = vec![frame(TEXT_BEGIN, b"\xf0\x90"), frame(END, b"")];
    cases.push(wrong("ends within a character, in parts", sent, 1007));
    play(echo_server(None).await, None, cases).await;
}

#[tokio::test]
async fn a_close_is_answered_with_its_code_or_refused() {
    let mut cases = Vec::new();
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        for reason in ["", "bye", &"x".repeat(123)] {
            let payload = [&u16::to_be_bytes(code), reason.as_bytes()].concat();
            let told = vec![Told::Close(Some(code))];
            cases.push(Case { name: "a code that may be sent", sent: vec![close(&payload)], told });
        }
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        cases.push(wrong("a code that may not", vec![close(&u16::to_be_bytes(code))], 1002));
    }
    let told = vec![Told::Close(None)];
    cases.push(Case { name: "without a code", sent: vec![close(b"")], told });
    cases.push(wrong("half a code", vec![close(&[3])], 1002));
    cases.push(wrong("a long reason", vec![close(&[3, 232, 1].repeat(42))], 1002));
    cases.push(wrong("a reason that is no text", vec![close(b"\x03\xe8\xed\xa0\x80")], 1007));
    cases.push(fine("nothing is heard behind it", Vec::new(), Vec::new()));
    cases.last_mut().unwrap().sent.extend([frame(TEXT, b"x"), frame(PING, b"x"), vec![0xff; 9]]);
    cases.push(fine("within a message", vec![frame(TEXT_BEGIN, b"x")], Vec::new()));
    play(echo_server(None).await, None, cases).await;
}

#[tokio::test]
async fn what_is_above_the_limit_is_refused_before_it_comes() {
    let announced =
        |first: u8, length: u64| [&[first, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
    let part = || frame(MIDDLE, &vec![b'x'; LIMIT / 4]);
    let cases = vec![
        wrong("one too many", vec![announced(TEXT, LIMIT as u64 + 1)], 1009),
        wrong("as many as can be said", vec![announced(BINARY, u64::MAX)], 1009),
        wrong(
            "in parts",
            vec![frame(TEXT_BEGIN, b""), part(), part(), part(), part(), frame(END, b"x")],
            1009,
        ),
        wrong("a part", vec![frame(TEXT_BEGIN, b"x"), announced(END, LIMIT as u64)], 1009),
    ];
    play(echo_server(None).await, None, cases).await;
}
