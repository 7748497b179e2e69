//! What a caller says of its own trace: the header `traceparent` of the W3C.

use axum::http::HeaderMap;

/// A caller's span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace: u128,
    pub(super) span: u64,
    /// Whether the caller traces it too.
    pub(super) is_sampled: bool,
}

impl Parent {
    /// That of a request, if it names one that is valid.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("traceparent")?.to_str().ok()?.trim();
        let mut fields = text.split('-');
        let version = hexadecimal(fields.next()?, 2)?;
        let trace = hexadecimal(fields.next()?, 32)?;
        let span = hexadecimal(fields.next()?, 16)? as u64;
        let flags = hexadecimal(fields.next()?, 2)?;
        // Versions to come may have more fields.
        let is_whole = version != 0 || fields.next().is_none();
        let is_valid = version != 0xff && trace != 0 && span != 0 && is_whole;
        is_valid.then_some(Self { trace, span, is_sampled: flags & 1 == 1 })
    }
}

fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == digits && text.bytes().all(is_digit))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Parent> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", text.parse().unwrap());
        Parent::of(&headers)
    }

    #[test]
    fn callers_name_their_trace_and_whether_it_is_sampled() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let parent = read(&format!("00-{trace}-{span}-01")).unwrap();
        assert_eq!(
            format!("{:032x}-{:016x}", parent.trace, parent.span),
            format!("{trace}-{span}")
        );
        assert!(parent.is_sampled && !read(&format!("00-{trace}-{span}-02")).unwrap().is_sampled);
        assert!(read(&format!("cc-{trace}-{span}-01-what-comes")).is_some());
        let zero = "0".repeat(32);
        for bad in [
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{zero}-{span}-01"),
            format!("00-{trace}-{}-01", &zero[..16]),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}-{span}"),
            format!("0-{trace}-{span}-01"),
            String::new(),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
