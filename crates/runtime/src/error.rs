//! Why an operator process ends, and what a person can do about it.

use std::{net::SocketAddr, path::PathBuf};

use ramen_events::log;

/// Why the process ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No way to reach the API server is configured.
    #[error("could not find out how to reach the API server")]
    Kubeconfig(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The client cannot be built from its configuration.
    #[error("could not make a client for {url}")]
    Client {
        /// The API server.
        url: String,
        /// Why.
        #[source]
        err: Box<kube::Error>,
    },
    /// The log cannot be opened.
    #[error("could not open the log in {dir}", dir = .dir.display())]
    OpenLog {
        /// Where it lies.
        dir: PathBuf,
        /// Why.
        #[source]
        err: log::Error,
    },
    /// The log cannot be read.
    #[error("could not read the log")]
    ReadLog(#[source] log::Error),
    /// Records could not be made durable. Nothing was done because of them.
    #[error("could not append {records} records to the log")]
    Append {
        /// How many.
        records: usize,
        /// Why.
        #[source]
        err: log::Error,
    },
    /// Another process leads, or the API server could not be asked for too long.
    #[error("lost leadership: {reason}")]
    LostLeadership {
        /// What was found out.
        reason: String,
    },
    /// The address for metrics and health cannot be used.
    #[error("could not listen on {addr}")]
    Listen {
        /// Which address.
        addr: SocketAddr,
        /// Why.
        #[source]
        err: std::io::Error,
    },
    /// A part of the process ended although nobody stopped it.
    #[error("{part} ended unexpectedly")]
    Ended {
        /// Which part.
        part: &'static str,
    },
}

impl Error {
    /// What a person can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Kubeconfig(_) => "give --kubeconfig, set KUBECONFIG, or run in a pod with a service account",
            Self::Client { .. } => "check the server address and the certificates of the kubeconfig",
            Self::OpenLog { err, .. } | Self::ReadLog(err) | Self::Append { err, .. } => err.remedy(),
            Self::LostLeadership { .. } => {
                "none is needed: the next leader goes on; this process starts anew as standby"
            }
            Self::Listen { .. } => "choose another --listen address, or end the process that holds it",
            Self::Ended { .. } => "this is a defect: please report it with the process's output",
        }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::OpenLog { err, .. } | Self::ReadLog(err) if is_damage(err) => crate::cli::EXIT_DAMAGED,
            Self::LostLeadership { .. } => crate::cli::EXIT_NOT_LEADER,
            _ => crate::cli::EXIT_FAILED,
        }
    }
}

fn is_damage(err: &log::Error) -> bool {
    matches!(
        err,
        log::Error::Damaged { .. }
            | log::Error::DamagedBlob { .. }
            | log::Error::Unreadable { .. }
            | log::Error::Lost { .. }
    )
}
