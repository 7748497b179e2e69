//! Names that the engine does not keep: of orders and lists without a client id, of cancels, and of events.
//!
//! They follow from ids alone, so that REST, streams and every gateway say the same.

use types::{ClientOrderId, OrderId, Seq};

/// No list.
pub(crate) const NO_LIST: i64 = -1;

const UNNAMED: &str = "outcry";
const CANCEL: &str = "cancel";
const LIST: &str = "list";

/// The client's id of an order, or a name of 22 characters that follows from the order's id.
pub(crate) fn client_order_id(given: ClientOrderId, order: OrderId) -> String {
    if given.is_none() { format!("{UNNAMED}{:016}", order.0) } else { given.to_string() }
}

/// The order without a client id that [`client_order_id`] names so.
pub(crate) fn unnamed_order(name: &str) -> Option<OrderId> {
    number_of(name, UNNAMED, 16)
}

/// The name of a cancel without one.
pub(crate) fn cancel_id(order: OrderId) -> String {
    format!("{CANCEL}{:016}", order.0)
}

/// The client's id of a list, or a name of 22 characters that follows from the list's id.
pub(crate) fn list_client_order_id(given: ClientOrderId, list: OrderId) -> String {
    if given.is_none() { format!("{LIST}{:018}", list.0) } else { given.to_string() }
}

/// The list without a client id that [`list_client_order_id`] names so.
pub(crate) fn unnamed_list(name: &str) -> Option<OrderId> {
    number_of(name, LIST, 18)
}

/// Whether a name is like one that follows from an id: no client may choose it, or it would mean two orders.
pub(crate) fn is_made(name: &str) -> bool {
    unnamed_order(name).is_some() || unnamed_list(name).is_some()
}

fn number_of(name: &str, prefix: &str, digits: usize) -> Option<OrderId> {
    let number = name.strip_prefix(prefix)?;
    let is_number = number.len() == digits && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { number.parse().ok() } else { None }
}

/// The list's id as a number, or [`NO_LIST`].
pub(crate) fn list_id(list: Option<OrderId>) -> i64 {
    list.map_or(NO_LIST, |list| list.0 as i64)
}

/// The id of an event about an order: it rises with the log, and stays below 2^53 up to entry 2^40.
pub(crate) fn execution_id(seq: Seq, index: u32) -> u64 {
    /// Entries have fewer events: their work is bounded.
    const PER_ENTRY: u64 = 1 << 13;
    seq.0 * PER_ENTRY + u64::from(index).min(PER_ENTRY - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_is_named_by_its_id_and_found_by_that_name() {
        let name = client_order_id(ClientOrderId::NONE, OrderId(7));
        assert_eq!(name, "outcry0000000000000007");
        assert_eq!(unnamed_order(&name), Some(OrderId(7)));
        for other in ["outcry7", "outcry00000000000000x7", "x-7", ""] {
            assert_eq!(unnamed_order(other), None);
        }
        let list = list_client_order_id(ClientOrderId::NONE, OrderId(9));
        assert_eq!((list.len(), unnamed_list(&list)), (22, Some(OrderId(9))));
        assert!(is_made(&name) && is_made(&list));
        assert!(!is_made("outcry7") && !is_made("cancel0000000000000007"));
        let own: ClientOrderId = "x-1".parse().unwrap();
        assert_eq!(client_order_id(own, OrderId(7)), "x-1");
    }
}
