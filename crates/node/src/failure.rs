//! Panics as values: what was said, and where.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{
    AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind, set_hook, take_hook,
};
use std::sync::Once;

/// Bytes of what is kept of a panic's message: it goes into the log.
const MAX_SAID: usize = 500;

thread_local! {
    /// What this thread's last panic said. Only the panic hook is told where it was.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
pub(crate) struct Failure {
    /// Message and place, in one line.
    pub said: String,
    payload: Box<dyn Any + Send>,
}

impl Failure {
    /// Goes on with the panic.
    pub fn resume(self) -> ! {
        resume_unwind(self.payload)
    }
}

/// Does something that may panic. What it works on is good for nothing afterwards, if it does.
#[inline]
pub(crate) fn guard(work: impl FnOnce()) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let said = LAST.take().unwrap_or_else(|| message(&*payload).to_owned());
        Failure { said, payload }
    })
}

/// From now on panics are remembered for [`guard`], and told as before.
pub(crate) fn watch_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |info| {
            LAST.set(Some(describe(info)));
            tell(info);
        }));
    });
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let mut said = message(info.payload()).replace(['\n', '\r'], " ");
    said.truncate(said.floor_char_boundary(MAX_SAID));
    match info.location() {
        Some(place) => format!("{said}, at {}:{}", place.file(), place.line()),
        None => said,
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_message_and_its_place() {
        watch_panics();
        let failure = guard(|| panic!("seven {}\nlives", "cats")).err().unwrap();
        assert!(failure.said.starts_with("seven cats lives, at "), "{}", failure.said);
        assert!(failure.said.contains("failure.rs:"), "{}", failure.said);
        assert!(guard(|| ()).is_ok());
        let long = guard(|| panic!("{}", "ü".repeat(5_000))).err().unwrap();
        assert!(long.said.len() < 700, "{}", long.said.len());
    }
}
