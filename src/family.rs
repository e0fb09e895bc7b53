//! `family!`: one table makes an open family of the crate: ops, search algorithms, evaluators, exporters.
//!
//! Adding a member is one file, its `mod` line, and its line in the table. The table yields the enum (so RON names
//! the member and holds its configuration), `NAMES` (so the command line, its help, and the contract tests know all
//! members), and the trait object behind each.

/// Makes an enum of configurations from a table `Variant(Type) = "kebab_name"`, all of which implement one trait.
///
/// The enum derives `Serialize` and `Deserialize`: RON writes `Variant(field: 1)` or just `Variant` for all defaults.
macro_rules! family {
    ($(#[$doc:meta])* $vis:vis enum $family:ident: $trait:path {
        $($(#[$variant_doc:meta])* $variant:ident($config:ty) = $name:literal,)*
    }) => {
        $(#[$doc])*
        // A study holds one of them: what the smaller ones waste is no matter.
        #[allow(clippy::large_enum_variant)]
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        $vis enum $family { $($(#[$variant_doc])* #[doc = concat!("`", $name, "`.")] $variant($config),)* }

        impl $family {
            /// The RON names of all members, in table order.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($variant)),*];
            /// The names of all members as the command line and reports spell them, in table order.
            pub const LABELS: &'static [&'static str] = &[$($name),*];

            /// Which member it is, as the command line and reports spell it: one of [`Self::LABELS`].
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),* }
            }
        }

        impl std::ops::Deref for $family {
            type Target = dyn $trait;
            fn deref(&self) -> &Self::Target { match self { $(Self::$variant(member) => member),* } }
        }
    };
}
pub(crate) use family;
