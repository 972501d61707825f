//! Enumerations that travel as text and may hold a word that this version does not know.

/// Defines an enum that is written as text. A word that is not listed is kept in `Other`, so an object from a newer or
/// foreign writer still decodes and keeps its value.
///
/// `listed` puts the words into the CRD schema, so the API server refuses others; `open` leaves the schema a string.
macro_rules! text_enum {
    ($(#[$doc:meta])* $listing:ident enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A word that is not in the list; empty when nothing was said.
            Other(String),
        }

        impl $name {
            /// The words of the list, in the order of the schema.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                Ok(Self::from(word.as_ref()))
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                text_enum!(@schema $listing)
            }
        }
    };
    (@schema listed) => { schemars::json_schema!({ "type": "string", "enum": Self::WORDS }) };
    (@schema open) => { schemars::json_schema!({ "type": "string" }) };
}

pub(crate) use text_enum;
