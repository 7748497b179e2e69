//! One description of a section gives its type, its defaults, its bounds and its reference.

/// A key of a section, for the reference.
pub struct KeyDoc {
    /// Its name.
    pub name: &'static str,
    /// What it means, line by line.
    pub doc: &'static [&'static str],
    /// Its default as TOML; `None`: absent.
    pub default: Option<String>,
    /// Smallest and largest value, if it is bounded.
    pub range: Option<String>,
}

/// A section, for the reference.
pub struct SectionDoc {
    /// Its name.
    pub name: &'static str,
    /// What it is about, line by line.
    pub doc: &'static [&'static str],
    /// Its keys.
    pub keys: Vec<KeyDoc>,
}

/// A value outside its bounds.
pub struct OutOfBounds {
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// What it must be.
    pub what: String,
}

/// Declares a section: `key: Type = default, smallest => largest;`, bounds being optional.
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])*
        $section:ident $name:literal {
            $(
                $(#[doc = $doc:literal])*
                $key:ident: $kind:ty = $default:expr $(, $low:expr => $high:expr)?;
            )*
        }
    ) => {
        $(#[doc = $section_doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $section {
            $($(#[doc = $doc])* pub $key: $kind,)*
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        impl $section {
            /// What the reference says of it.
            pub fn reference() -> $crate::config::section::SectionDoc {
                use $crate::config::section::{KeyDoc, SectionDoc};
                let default = Self::default();
                SectionDoc {
                    name: $name,
                    doc: &[$($section_doc),*],
                    keys: vec![$(KeyDoc {
                        name: stringify!($key),
                        doc: &[$($doc),*],
                        default: $crate::config::values::Setting::toml(&default.$key),
                        range: section!(@range $($low, $high)?),
                    },)*],
                }
            }

            /// Refuses values outside their bounds.
            pub fn check_bounds(&self) -> Result<(), $crate::config::section::OutOfBounds> {
                $(section!(@check self, $name, $key $(, $low, $high)?);)*
                Ok(())
            }
        }
    };
    (@range) => { None };
    (@range $low:expr, $high:expr) => { Some(format!("{} to {}", $low, $high)) };
    (@check $self:ident, $name:literal, $key:ident) => {};
    (@check $self:ident, $name:literal, $key:ident, $low:expr, $high:expr) => {
        let (low, high) = ($low, $high);
        if $self.$key < low || $self.$key > high {
            return Err($crate::config::section::OutOfBounds {
                section: $name,
                key: stringify!($key),
                what: format!("{} is not from {low} to {high}", $self.$key),
            });
        }
    };
}

pub(super) use section;
