//! Agreeing on compression: what a client offers in `Sec-WebSocket-Extensions`, and what it is answered
//! (RFC 7692, 7.1).

use crate::deflate::WINDOW_BITS;

const NAME: &str = "permessage-deflate";

/// How messages to a client may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// How far back they may refer, as a power of two, if the client wants a bound.
    window_bits: Option<u8>,
}

impl Agreed {
    /// The longest message that may be compressed. One that is no longer than the client's window cannot refer
    /// back beyond it, whatever window it was compressed with; with a small one, longer messages go as they are.
    #[must_use]
    pub fn longest(self) -> usize {
        match self.window_bits {
            Some(bits) if bits < WINDOW_BITS => 1 << bits,
            _ => usize::MAX,
        }
    }

    /// The value of `Sec-WebSocket-Extensions` in the answer.
    #[must_use]
    pub fn answer(self) -> String {
        // Nobody has to remember anything from message to message: what is compressed once fits everybody,
        // and a connection at rest costs no window.
        let mut answer = format!("{NAME}; server_no_context_takeover; client_no_context_takeover");
        if let Some(bits) = self.window_bits {
            answer.push_str(&format!("; server_max_window_bits={bits}"));
        }
        answer
    }
}

/// The first of a client's offers that can be accepted. `header` is the value of `Sec-WebSocket-Extensions`,
/// several headers joined with commas.
#[must_use]
pub fn agree(header: &str) -> Option<Agreed> {
    split(header, ',').into_iter().find_map(|offer| read(&offer))
}

/// An offer, if it is one of compression and has no parameter that it may not have.
fn read(offer: &str) -> Option<Agreed> {
    let parts = split(offer, ';');
    let (name, params) = parts.split_first()?;
    if name != NAME {
        return None;
    }
    let (mut window_bits, mut seen) = (None, Vec::new());
    for param in params {
        let (key, value) = match param.split_once('=') {
            Some((key, value)) => (key.trim(), Some(unquoted(value.trim()))),
            None => (param.as_str(), None),
        };
        if seen.contains(&key) {
            return None;
        }
        seen.push(key);
        match (key, value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
            // It never has to be told: a client's messages may refer as far back as they can.
            ("client_max_window_bits", None) => {}
            ("client_max_window_bits", Some(bits)) => drop(read_bits(bits)?),
            ("server_max_window_bits", Some(bits)) => window_bits = Some(read_bits(bits)?),
            _ => return None,
        }
    }
    Some(Agreed { window_bits })
}

/// 8 to 15, without a leading zero.
fn read_bits(text: &str) -> Option<u8> {
    ["8", "9", "10", "11", "12", "13", "14", "15"].contains(&text).then(|| text.parse().ok())?
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// The parts of a list, without those in which there is nothing. A separator within quotes is none.
fn split(list: &str, separator: char) -> Vec<String> {
    let (mut parts, mut part, mut is_quoted) = (Vec::new(), String::new(), false);
    for character in list.chars().chain([separator]) {
        if character == '"' {
            is_quoted = !is_quoted;
        }
        if character == separator && !is_quoted {
            let whole = std::mem::take(&mut part);
            parts.push(whole.trim().to_owned());
        } else {
            part.push(character);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    #[test]
    fn offers_are_accepted_in_their_order_with_the_window_they_ask_for() {
        for (offer, longest, bits) in [
            ("permessage-deflate", usize::MAX, ""),
            ("permessage-deflate; client_max_window_bits", usize::MAX, ""),
            ("permessage-deflate;client_max_window_bits=8", usize::MAX, ""),
            (
                " permessage-deflate ; server_max_window_bits = \"9\" ",
                512,
                "; server_max_window_bits=9",
            ),
            (
                "permessage-deflate; server_max_window_bits=12",
                usize::MAX,
                "; server_max_window_bits=12",
            ),
            ("permessage-deflate; server_max_window_bits=8", 256, "; server_max_window_bits=8"),
            ("x-webkit-deflate-frame, permessage-deflate", usize::MAX, ""),
            (
                "permessage-deflate; mux=\"a,b;c\", permessage-deflate; server_max_window_bits=10, permessage-deflate",
                1_024,
                "; server_max_window_bits=10",
            ),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                usize::MAX,
                "",
            ),
        ] {
            let agreed = agree(offer).unwrap_or_else(|| panic!("declined: {offer}"));
            assert_eq!(agreed.longest(), longest, "{offer}");
            assert_eq!(agreed.answer(), format!("{BOTH}{bits}"), "{offer}");
        }
    }

    #[test]
    fn offers_with_what_they_may_not_have_are_declined() {
        for offer in [
            "",
            ",;,",
            "permessage-bzip2",
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        ] {
            assert_eq!(agree(offer), None, "{offer}");
        }
    }
}
