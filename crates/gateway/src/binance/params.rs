//! Parameters of a request, and what is said of those that are missing or malformed.
//!
//! They come as `k=v&k=v` in the query and in the body, whatever its content type says; where both have a
//! name, the query's counts. Unknown names are ignored. On sockets they come as a JSON object.

use std::str::FromStr;

use types::Timestamp;

use super::error::Error;
use super::render::{read_end_time, read_time};

/// Names and texts, each name once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Those of a query and a body.
    ///
    /// # Errors
    /// -1101 if one of the two has a name twice, -1100 if something is no text.
    pub(crate) fn parse(query: &str, body: &[u8]) -> Result<Self, Error> {
        let mut params = Self::default();
        params.add(query.as_bytes())?;
        let in_query = params.pairs.len();
        params.add(body)?;
        let of_body = params.pairs.split_off(in_query);
        for (name, value) in of_body {
            if params.get(&name).is_none() {
                params.pairs.push((name, value));
            }
        }
        Ok(params)
    }

    /// Those of names and texts that stand for themselves.
    pub(crate) fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        Self { pairs }
    }

    /// Forgets parameters of other names.
    pub(crate) fn keep(&mut self, names: &[&str]) {
        self.pairs.retain(|(name, _)| names.contains(&name.as_str()));
    }

    /// All that was asked, in one text: the same for the same names and texts, in whatever order and encoding.
    pub(crate) fn question(&self) -> String {
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_unstable();
        format!("{pairs:?}")
    }

    fn add(&mut self, text: &[u8]) -> Result<(), Error> {
        let begin = self.pairs.len();
        for pair in text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            let name = decode(&pair[..at])?;
            let value = decode(pair.get(at + 1..).unwrap_or_default())?;
            if self.pairs[begin..].iter().any(|(known, _)| *known == name) {
                let why = format!("Duplicate values for parameter '{name}' detected.");
                return Err(Error::new(-1101, why));
            }
            self.pairs.push((name, value));
        }
        Ok(())
    }

    /// A parameter as it was sent, also empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it was sent with a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty())
    }

    /// An optional text.
    ///
    /// # Errors
    /// -1105 if it is empty.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.get(name) {
            Some("") => Err(Error::new(-1105, format!("Parameter '{name}' was empty."))),
            found => Ok(found),
        }
    }

    /// A mandatory text.
    ///
    /// # Errors
    /// -1102.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Error> {
        self.get(name).filter(|text| !text.is_empty()).ok_or_else(|| Error::mandatory(name))
    }

    /// A whole number.
    ///
    /// # Errors
    /// -1100 or -1105.
    pub(crate) fn int<T: FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let digits = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number.map(Some).ok_or_else(|| Error::illegal_characters(name, "^[0-9]{1,20}$"))
    }

    /// An id: what a signed 64-bit column of a database holds.
    ///
    /// # Errors
    /// As [`Self::int`].
    pub(crate) fn id(&self, name: &str) -> Result<Option<u64>, Error> {
        Ok(self.int::<i64>(name)?.map(i64::unsigned_abs))
    }

    /// A mandatory id.
    ///
    /// # Errors
    /// -1102 or -1100.
    pub(crate) fn required_id(&self, name: &str) -> Result<u64, Error> {
        self.required(name)?;
        self.id(name)?.ok_or_else(|| Error::mandatory(name))
    }

    /// An amount as text: digits with at most one point between them, at most 8 decimals.
    ///
    /// # Errors
    /// -1100, -1105 or -1111.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<&str>, Error> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(Error::illegal_characters(name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$"));
        }
        if fraction.trim_end_matches('0').len() > 8 {
            return Err(Error::too_precise(name));
        }
        Ok(Some(text))
    }

    /// `true` or `false`, in any case.
    ///
    /// # Errors
    /// -1100 or -1105.
    pub(crate) fn bool(&self, name: &str) -> Result<Option<bool>, Error> {
        let text = self.text(name)?.map(str::to_ascii_lowercase);
        match text.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Error::illegal_characters(name, "true or false")),
        }
    }

    /// A time in milliseconds or microseconds.
    ///
    /// # Errors
    /// As [`Self::int`].
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        Ok(self.int::<u64>(name)?.map(read_time))
    }

    /// A time up to which rows are wanted, those included that are shown with this time.
    ///
    /// # Errors
    /// As [`Self::int`].
    pub(crate) fn end_time(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        Ok(self.int::<u64>(name)?.map(read_end_time))
    }

    /// `limit`: at least 1; above `most` it is cut.
    ///
    /// # Errors
    /// -1130 for zero, else as [`Self::int`].
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Error> {
        match self.int::<u64>("limit")? {
            None => Ok(default),
            Some(0) => Err(Error::invalid_data("limit")),
            Some(wanted) => Ok(usize::try_from(wanted).unwrap_or(most).min(most)),
        }
    }

    /// One of some words, in their case.
    ///
    /// # Errors
    /// `unknown` for another one, or -1105.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
        unknown: impl FnOnce() -> Error,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|&(_, value)| Some(value)).ok_or_else(unknown)
    }

    /// A list as JSON: `["A","B"]`.
    ///
    /// # Errors
    /// -1100 if it is none, -1105.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let list = serde_json::from_str(text);
        list.map(Some)
            .map_err(|_| Error::illegal_characters(name, r#"^\[("[A-Z0-9-_.]{1,20}",?)*\]$"#))
    }
}

/// Undoes percent-encoding, and `+` for a space.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Error> {
    let malformed = || Error::new(-1100, "Illegal characters found in a parameter.");
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        text.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    let digit = rest.next().and_then(|&byte| char::from(byte).to_digit(16));
                    digit.ok_or_else(malformed)
                };
                (digit()? << 4 | digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(text).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Params {
        Params::parse(text, b"").unwrap()
    }

    #[test]
    fn the_query_wins_over_the_body_and_a_name_stands_once_in_each() {
        let params = Params::parse("symbol=A&limit=5", b"limit=7&side=BUY").unwrap();
        let found = ["symbol", "limit", "side", "none"].map(|name| params.get(name));
        assert_eq!(found, [Some("A"), Some("5"), Some("BUY"), None]);
        for (query, body) in [("a=1&a=1", ""), ("", "a=1&b=2&a=3")] {
            assert_eq!(Params::parse(query, body.as_bytes()).unwrap_err().code, -1101);
        }
    }

    #[test]
    fn values_are_decoded() {
        let params = query("symbols=%5B%22A%22%2C%22B%22%5D&x=a+b&empty=&bare");
        assert_eq!(params.list("symbols").unwrap().unwrap(), ["A", "B"]);
        assert_eq!((params.get("x"), params.get("bare")), (Some("a b"), Some("")));
        for text in ["a=%", "a=%2", "a=%zz", "a=%ff"] {
            assert_eq!(Params::parse(text, b"").unwrap_err().code, -1100, "{text}");
        }
    }

    #[test]
    fn what_is_malformed_is_called_by_its_code() {
        let params = query(
            "i=1x&big=99999999999999999999&d=1e-05&p=0.000000001&z=1.500000000&empty=&b=TRUE",
        );
        assert_eq!(params.int::<u64>("i").unwrap_err().code, -1100);
        assert_eq!(params.int::<u64>("big").unwrap_err().code, -1100);
        assert_eq!(params.decimal("d").unwrap_err().code, -1100);
        assert_eq!(params.decimal("p").unwrap_err().code, -1111);
        assert_eq!(params.decimal("z").unwrap(), Some("1.500000000"));
        assert_eq!(params.text("empty").unwrap_err().code, -1105);
        assert_eq!(params.required("empty").unwrap_err().code, -1102);
        assert_eq!(params.required("none").unwrap_err().code, -1102);
        assert_eq!(params.bool("b").unwrap(), Some(true));
        assert_eq!(params.bool("i").unwrap_err().code, -1100);
    }

    #[test]
    fn a_limit_is_cut_and_zero_is_none() {
        assert_eq!(query("limit=9999").limit(100, 1_000).unwrap(), 1_000);
        assert_eq!(query("").limit(100, 1_000).unwrap(), 100);
        assert_eq!(query("limit=0").limit(100, 1_000).unwrap_err().code, -1130);
    }
}
