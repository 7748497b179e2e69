//! Compressed messages: what is agreed, what comes back, and what cannot be inflated.

use flate2::{Decompress, FlushDecompress};
use websocket::client::first::{BINARY, COMPRESSED, END, MIDDLE, PING, TEXT, TEXT_BEGIN};
use websocket::client::{Frame, deflated, frame};

use crate::talk::{Case, LIMIT, Told, echo_server, fine, next, open, play, wrong};

const PLAIN: &str = "permessage-deflate";

/// Something like what streams tell, of any length.
fn levels(length: usize) -> String {
    let mut text = String::new();
    for n in 0_u64.. {
        if text.len() >= length {
            break;
        }
        let price = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        text.push_str(&format!("[\"{price}.{:02}\",\"0.{n:05}\"],", n % 100));
    }
    text.truncate(length);
    text
}

/// What a client sees that has no more than the window it asked for.
fn inflated(frame: &Frame, window_bits: u8) -> String {
    assert_eq!(frame.first & !COMPRESSED, TEXT);
    if !frame.is_compressed() {
        return String::from_utf8(frame.payload.to_vec()).unwrap();
    }
    // zlib knows no window of 8 bits without a header.
    let mut inflate = Decompress::new_with_window_bits(false, window_bits.max(9));
    let input = [&frame.payload, &[0, 0, 0xff, 0xff][..]].concat();
    let mut out = Vec::with_capacity(LIMIT + 1);
    inflate.decompress_vec(&input, &mut out, FlushDecompress::Sync).unwrap();
    assert_eq!(inflate.total_in(), input.len() as u64);
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn what_is_agreed_holds_for_messages_of_every_size_in_any_parts() {
    let address = echo_server(Some(0)).await;
    let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for (offer, agreed, window_bits) in [
        (PLAIN, both.to_owned(), 15),
        ("permessage-deflate; client_max_window_bits", both.to_owned(), 15),
        ("permessage-deflate; client_max_window_bits=9", both.to_owned(), 15),
        ("permessage-deflate; server_no_context_takeover", both.to_owned(), 15),
        (
            "permessage-deflate; server_max_window_bits=8",
            format!("{both}; server_max_window_bits=8"),
            8,
        ),
        (
            "permessage-deflate; server_max_window_bits=9",
            format!("{both}; server_max_window_bits=9"),
            9,
        ),
        (
            "permessage-deflate; server_max_window_bits=12",
            format!("{both}; server_max_window_bits=12"),
            12,
        ),
        (
            "permessage-deflate; server_max_window_bits=15",
            format!("{both}; server_max_window_bits=15"),
            15,
        ),
        (
            "x-other, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=10",
            format!("{both}; server_max_window_bits=10"),
            10,
        ),
    ] {
        let mut client = open(address, Some(offer)).await;
        assert_eq!(client.extensions.as_ref(), Some(&agreed), "{offer}");
        for length in [0, 1, 16, 64, 256, 512, 513, 1_024, 4_096, 4_097, 8_192, 65_536, LIMIT] {
            let text = levels(length);
            let payload = deflated(text.as_bytes());
            for size in [usize::MAX, 1_000, 256] {
                let mut parts: Vec<&[u8]> = payload.chunks(size.min(payload.len())).collect();
                let last = parts.pop().unwrap();
                for (at, part) in parts.iter().enumerate() {
                    let first = if at == 0 { TEXT_BEGIN | COMPRESSED } else { MIDDLE };
                    client.send(&frame(first, part)).await.unwrap();
                }
                let first = if parts.is_empty() { TEXT | COMPRESSED } else { END };
                client.send(&frame(first, last)).await.unwrap();
                let answer = next(&mut client).await.unwrap();
                assert_eq!(inflated(&answer, window_bits), text, "{offer}, {length}");
                let is_compressed = length > 1 && (window_bits >= 12 || length <= 1 << window_bits);
                assert_eq!(answer.is_compressed(), is_compressed, "{offer}, {length}");
                // Messages that are not compressed may come between those that are.
                client.send(&frame(TEXT, text.as_bytes())).await.unwrap();
                let answer = next(&mut client).await.unwrap();
                assert_eq!(inflated(&answer, window_bits), text, "{offer}, {length}");
            }
        }
    }
}

#[tokio::test]
async fn without_an_agreement_nothing_is_compressed() {
    for (address, offer) in [
        (echo_server(None).await, Some(PLAIN)),
        (echo_server(Some(0)).await, None),
        (echo_server(Some(0)).await, Some("permessage-deflate; server_max_window_bits=7")),
    ] {
        let mut client = open(address, offer).await;
        assert_eq!(client.extensions, None);
        let text = levels(1_000);
        client.send_text(&text).await.unwrap();
        let answer = next(&mut client).await.unwrap();
        assert_eq!((answer.is_compressed(), answer.text()), (false, text.clone()));
        let frame = frame(TEXT | COMPRESSED, &deflated(text.as_bytes()));
        play(address, offer, vec![wrong("compressed", vec![frame], 1002)]).await;
    }
}

#[tokio::test]
async fn small_messages_are_not_compressed() {
    let mut client = open(echo_server(Some(100)).await, Some(PLAIN)).await;
    for (length, is_compressed) in [(99, false), (100, true)] {
        client.send_text(&"x".repeat(length)).await.unwrap();
        assert_eq!(next(&mut client).await.unwrap().is_compressed(), is_compressed);
    }
}

#[tokio::test]
async fn what_is_wrong_in_compressed_messages_ends_the_connection() {
    let whole = TEXT | COMPRESSED;
    let text = |bytes: &[u8]| deflated(bytes);
    let bomb = deflated(&vec![b' '; 64 << 20]);
    let begin = || frame(TEXT_BEGIN | COMPRESSED, &deflated(b"one")[..2]);
    let bomb_in_parts = || {
        let parts = bomb.chunks(200).map(|part| frame(MIDDLE, part));
        [frame(TEXT_BEGIN | COMPRESSED, b"")].into_iter().chain(parts).collect()
    };
    let cases = vec![
        wrong("no compressed data", vec![frame(whole, &[0xff; 20])], 1007),
        wrong("of no text", vec![frame(whole, &text(b"\xed\xa0\x80"))], 1007),
        wrong("that ends within a character", vec![frame(whole, &text(b"\xf0\x90"))], 1007),
        wrong("more than the limit", vec![frame(whole, &text(&vec![b'x'; LIMIT + 1]))], 1009),
        wrong("a bomb", vec![frame(whole, &bomb)], 1009),
        wrong("a bomb of bytes", vec![frame(BINARY | COMPRESSED, &bomb)], 1009),
        wrong("a bomb in parts", bomb_in_parts(), 1009),
        wrong("the bit on a later part", vec![begin(), frame(END | COMPRESSED, b"")], 1002),
        wrong("the bit on a ping", vec![frame(PING | COMPRESSED, b"")], 1002),
        fine(
            "the most",
            vec![frame(whole, &text(&vec![b'x'; LIMIT]))],
            vec![Told::Text("x".repeat(LIMIT))],
        ),
        fine(
            "a ping within",
            {
                let payload = deflated(b"within");
                let (begin, end) = payload.split_at(3);
                vec![frame(TEXT_BEGIN | COMPRESSED, begin), frame(PING, b"?"), frame(END, end)]
            },
            vec![Told::Pong(b"?".to_vec()), Told::Text("within".to_owned())],
        ),
    ];
    // Empty blocks cost nothing to hold, but a message of them has an end too.
    let endless = [0x00, 0x00, 0x00, 0xff, 0xff].repeat(1_000);
    let mut blocks = vec![frame(TEXT_BEGIN | COMPRESSED, b"")];
    blocks.extend((0..LIMIT / 4_000).map(|_| frame(MIDDLE, &endless)));
    let cases: Vec<Case> = cases.into_iter().chain([wrong("no end", blocks, 1009)]).collect();
    play(echo_server(Some(0)).await, Some(PLAIN), cases).await;
}
