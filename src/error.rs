//! Everything that can go wrong, as a person reads it.

/// The crate's error: a transparent sum of the modules' own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Layers that do not fit together.
    #[error(transparent)]
    Shape(#[from] crate::ir::ShapeError),
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// A genotype without a program.
    #[error(transparent)]
    Genotype(#[from] crate::space::GenotypeError),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
