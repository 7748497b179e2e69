//! What may be refused, and in which order.

use axum::http::Method;

use crate::limits::Class;

/// What is asked, as far as admission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What everybody may read.
    PublicRead,
    /// What an account reads.
    PrivateRead,
    /// An order, or a change of one.
    Order,
    /// Never refused: cancels, what protects or moves an account's funds, sockets, operators.
    Spared,
}

/// Where accounts read.
const PRIVATE: [&str; 7] = [
    "/v1/account",
    "/v1/balances",
    "/v1/fills",
    "/v1/ledger",
    "/v1/order-lists",
    "/v1/orders",
    "/v1/withdrawals",
];
/// What is not refused whatever the method.
const SPARED: [&str; 3] = ["/v1/admin/", "/v1/demo/", "/v1/ws"];

impl Kind {
    /// What is refused, the first first.
    pub(super) const SHED: [Self; 3] = [Self::PublicRead, Self::PrivateRead, Self::Order];

    /// Of a route of the native API.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let begins = |roots: &[&str]| roots.iter().any(|root| path.starts_with(root));
        if begins(&SPARED) {
            return Self::Spared;
        }
        match Class::of(method, path) {
            Class::Orders => Self::Order,
            Class::Other if method != Method::GET => Self::Spared,
            Class::Other if begins(&PRIVATE) => Self::PrivateRead,
            Class::Other => Self::PublicRead,
        }
    }

    /// What figures call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PublicRead => "public_read",
            Self::PrivateRead => "private_read",
            Self::Order => "order",
            Self::Spared => "spared",
        }
    }
}
