//! Foreign objects keep what we do not know.
//!
//! Other projects own these kinds and extend them. Each struct here holds the fields that the DR path reads or writes,
//! and gathers all others in `rest`, so that an object which is read and written back loses nothing.

use std::collections::BTreeMap;

/// Fields that we have no name for, by their JSON key.
pub type Rest = BTreeMap<String, serde_json::Value>;

/// Defines the root of a foreign object: type and metadata, the given fields, and the rest.
macro_rules! foreign_object {
    (
        $(#[$doc:meta])*
        $name:ident is $kind:path, $scope:ident;
        $($(#[$meta:meta])* $field:ident: $type:ty,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// API version; absent in items of some lists.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub api_version: Option<String>,
            /// Kind; absent in items of some lists.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub kind: Option<String>,
            /// Name, labels and so on.
            #[serde(default)]
            pub metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
            $($(#[$meta])* pub $field: $type,)*
            /// Other fields.
            #[serde(flatten)]
            pub rest: crate::rest::Rest,
        }

        impl $name {
            /// How the kind is named in URLs.
            pub const RESOURCE: crate::kinds::Resource = $kind;

            /// An object of that name, otherwise empty.
            #[must_use]
            pub fn new(name: &str) -> Self {
                let mut object = Self::default();
                object.metadata.name = Some(name.to_owned());
                object
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    api_version: Some(Self::RESOURCE.api_version()),
                    kind: Some(Self::RESOURCE.kind.to_owned()),
                    metadata: Default::default(),
                    $($field: Default::default(),)*
                    rest: Default::default(),
                }
            }
        }

        impl kube_core::Resource for $name {
            type DynamicType = ();
            type Scope = foreign_object!(@ $scope);

            fn kind(_: &()) -> std::borrow::Cow<'_, str> {
                Self::RESOURCE.kind.into()
            }

            fn group(_: &()) -> std::borrow::Cow<'_, str> {
                Self::RESOURCE.group.into()
            }

            fn version(_: &()) -> std::borrow::Cow<'_, str> {
                Self::RESOURCE.version.into()
            }

            fn plural(_: &()) -> std::borrow::Cow<'_, str> {
                Self::RESOURCE.plural.into()
            }

            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }
    };
    (@ namespaced) => { kube_core::NamespaceResourceScope };
    (@ cluster) => { kube_core::ClusterResourceScope };
}

/// Defines a part of a foreign object: the given fields and the rest. Fields are optional unless they say otherwise.
macro_rules! foreign_part {
    ($(#[$doc:meta])* $name:ident; $($(#[$meta:meta])* $field:ident: $type:ty,)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$meta])* pub $field: $type,)*
            /// Other fields.
            #[serde(flatten)]
            pub rest: crate::rest::Rest,
        }
    };
}

pub(crate) use {foreign_object, foreign_part};
