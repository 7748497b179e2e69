//! Whose request it is: the address of the peer, or the one that a trusted proxy names.
//!
//! A header that names addresses is anybody's text. It is read from right to left, from the proxy nearest to
//! us outwards, and only as long as the one who wrote the next entry is trusted: the first address that is
//! not a trusted proxy's is the client's. One header is read, the one that the proxies are known to write:
//! the other one may come from the client untouched.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{Extensions, HeaderMap, HeaderName, header};
use ipnet::IpNet;

/// Who is charged: an address (of IPv6, its network of 64 bits: one customer has all of it), or everybody
/// whose address is not known.
pub(crate) type Source = Option<IpAddr>;

/// The address that a request is charged to: an extension of every request that came over a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(pub(crate) IpAddr);

/// Which header trusted proxies write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239)
    Forwarded,
}

/// Entries of a header that are looked at, from the right.
const MOST_PROXIES: usize = 16;

/// Who is charged for a request with these extensions.
pub(crate) fn source(extensions: &Extensions) -> Source {
    extensions.get().map(|&Origin(address)| address)
}

/// The address that a request from `peer` is charged to.
pub(super) fn origin(
    trusted: &[IpNet],
    by: ForwardedHeader,
    peer: IpAddr,
    headers: &HeaderMap,
) -> Origin {
    Origin(charged(client(trusted, by, peer.to_canonical(), headers)))
}

/// The address that holds a connection from `peer`, unless it is a trusted proxy's.
pub(super) fn holder(trusted: &[IpNet], peer: IpAddr) -> Source {
    let peer = peer.to_canonical();
    (!is_trusted(trusted, peer)).then(|| network(peer))
}

/// The address that stands for all connections from `peer`, be it a trusted proxy's or not.
pub(crate) fn network(peer: IpAddr) -> IpAddr {
    charged(peer.to_canonical())
}

fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

fn client(trusted: &[IpNet], by: ForwardedHeader, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !is_trusted(trusted, peer) {
        return peer;
    }
    let name = match by {
        ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
        ForwardedHeader::Forwarded => header::FORWARDED,
    };
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
    let mut client = peer;
    for entry in entries.take(MOST_PROXIES) {
        let text = std::str::from_utf8(entry).ok();
        let text = text.and_then(|text| match by {
            ForwardedHeader::XForwardedFor => Some(text),
            ForwardedHeader::Forwarded => forwarded_for(text),
        });
        // What a trusted proxy did not understand, nobody else may explain.
        let Some(address) = text.and_then(address) else { break };
        client = address;
        if !is_trusted(trusted, client) {
            break;
        }
    }
    client
}

/// The value of `for` in one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })
}

/// An address as headers have it: bare, quoted, with a port, of IPv6 in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = match text.strip_prefix('[') {
        Some(text) => text.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn charged(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(by: ForwardedHeader, peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        let (named, other) = match by {
            ForwardedHeader::XForwardedFor => ("x-forwarded-for", "forwarded"),
            ForwardedHeader::Forwarded => ("forwarded", "x-forwarded-for"),
        };
        for line in lines {
            headers.append(named, line.parse().unwrap());
        }
        headers.append(other, "for=6.6.6.6, 6.6.6.6".parse().unwrap());
        origin(&trusted, by, peer.parse().unwrap(), &headers).0.to_string()
    }

    #[test]
    fn only_trusted_proxies_name_addresses() {
        let xff = |peer, lines: &[&str]| ask(ForwardedHeader::XForwardedFor, peer, lines);
        assert_eq!(xff("1.2.3.4", &["5.5.5.5"]), "1.2.3.4", "the peer is no proxy");
        assert_eq!(xff("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(xff("10.0.0.1", &["5.5.5.5"]), "5.5.5.5");
        assert_eq!(
            xff("10.0.0.1", &["6.6.6.6, 5.5.5.5"]),
            "5.5.5.5",
            "what it was told is no matter"
        );
        assert_eq!(xff("10.0.0.1", &["6.6.6.6", "5.5.5.5, 10.1.1.1"]), "5.5.5.5");
        assert_eq!(xff("10.0.0.1", &["6.6.6.6, unknown"]), "10.0.0.1");
        assert_eq!(xff("10.0.0.1", &["6.6.6.6,, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(xff("10.0.0.1", &["5.5.5.5:1234"]), "5.5.5.5");
        assert_eq!(xff("::ffff:10.0.0.1", &["5.5.5.5"]), "5.5.5.5");
        let long = vec!["10.9.9.9"; 100].join(",");
        assert_eq!(xff("10.0.0.1", &["5.5.5.5", &long]), "10.9.9.9");
    }

    #[test]
    fn the_standard_header_is_read_when_it_is_the_one() {
        let by = |lines: &[&str]| ask(ForwardedHeader::Forwarded, "10.0.0.1", lines);
        assert_eq!(by(&["for=5.5.5.5"]), "5.5.5.5");
        assert_eq!(by(&["for=6.6.6.6, By=x;For=\"5.5.5.5:80\";proto=http"]), "5.5.5.5");
        assert_eq!(by(&["for=\"[2001:db8::17]:4711\""]), "2001:db8::");
        assert_eq!(by(&["for=_hidden"]), "10.0.0.1");
    }

    #[test]
    fn a_customer_of_ipv6_is_one_source_and_no_connection_is_none() {
        let xff = |peer| ask(ForwardedHeader::XForwardedFor, peer, &[]);
        assert_eq!(xff("2001:db8:1:2:3:4:5:6"), xff("2001:db8:1:2::9"));
        assert_ne!(xff("2001:db8:1:2::9"), xff("2001:db8:1:3::9"));
        assert_eq!(source(&Extensions::new()), None);
    }

    #[test]
    fn connections_are_held_by_clients_and_not_by_trusted_proxies() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::7/128".parse().unwrap()];
        let holder =
            |peer: &str| holder(&trusted, peer.parse().unwrap()).map(|address| address.to_string());
        for proxy in ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"] {
            assert_eq!(holder(proxy), None, "{proxy}");
        }
        assert_eq!(holder("::ffff:11.1.2.3").unwrap(), "11.1.2.3");
        assert_eq!(holder("fd00::8").unwrap(), "fd00::");
        assert_eq!(holder("2001:db8:1:2:3:4:5:6"), holder("2001:db8:1:2::9"));
    }
}
