//! A command or an event as a name with fields: text for people, the same as JSON for scripts.

use serde_json::{Map, Value};

/// A name and its fields, in the order in which they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    name: &'static str,
    fields: Vec<(&'static str, Value)>,
}

impl Line {
    /// A line without fields.
    pub fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// With a field more.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((key, value.into()));
        self
    }

    /// With a field more, if there is a value.
    pub fn with_some(self, key: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// The fields as JSON, the name as `kind`.
    pub fn json(self) -> Value {
        let mut object = Map::new();
        object.insert("kind".to_owned(), self.name.into());
        object.extend(self.fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
        Value::Object(object)
    }
}

/// `name key=value key=value`.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)?;
        for (key, value) in &self.fields {
            match value {
                Value::String(text) => write!(f, " {key}={text}")?,
                other => write!(f, " {key}={other}")?,
            }
        }
        Ok(())
    }
}
