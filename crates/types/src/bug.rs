//! Bugs made on purpose, so that tests can show what a component's failure does and does not do.
//!
//! Only with the feature `fault-injection`, which the product is built without. A bug is a function that
//! looks at what a step gives out and panics where it likes, so also in the middle of a step. It must
//! depend on nothing but what it is shown: then every replay fails at the same place, as by a real bug.

use std::fmt;
use std::sync::Arc;

use crate::{Event, Message};

/// What a step has just done.
#[derive(Clone, Copy, Debug)]
pub enum Done<'a> {
    /// It states a fact.
    Emits(&'a Event),
    /// It sends a message.
    Sends(&'a Message),
    /// It has handled a message; what that changed is changed.
    Handled(&'a Message),
}

/// See the file's head.
#[derive(Clone)]
pub struct Bug(pub Arc<dyn Fn(Done<'_>) + Send + Sync>);

impl Bug {
    /// A bug that `panics`.
    pub fn new(panics: impl Fn(Done<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(panics))
    }
}

impl fmt::Debug for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bug")
    }
}
