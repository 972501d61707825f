//! An object without `spec` decodes as if its spec were empty.
//!
//! The CRDs do not require `spec` (they are upstream's), but the derived root types do. Without this, one such object
//! would fail the decoding of every list that contains it, and blind the operator to all the others.

/// For a spec whose serde derives carry `remote = "Self"`: implements the traits, and takes an absent spec for the
/// default one.
macro_rules! absent_spec_is_default {
    ($spec:ident) => {
        impl serde::Serialize for $spec {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                // The inherent function that serde's `remote` derives.
                $spec::serialize(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $spec {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Present($spec);
                impl<'de> serde::Deserialize<'de> for Present {
                    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                        $spec::deserialize(from).map(Self)
                    }
                }
                // Serde answers a missing field only where an option is asked for.
                let present = <Option<Present> as serde::Deserialize>::deserialize(from)?;
                Ok(present.map_or_else(Self::default, |Present(spec)| spec))
            }
        }
    };
}

pub(crate) use absent_spec_is_default;
