//! Room: TLS for a tool that connects (`redis-cli --tls`).
//!
//! Chain and host name are checked unless the user says not to. A certificate that itself
//! stands in the CA file is trusted without its name: `verify` has the rule.

#![expect(unsafe_code, reason = "not verifying is unsafe to s2n, as it should be")]

use std::{io, path::Path, sync::Arc};

use s2n_tls::{config::Config, enums::ClientAuthType, error::Error as S2nError};

use super::{
    ClientTls, Connection, Named, Progress, Settings, config,
    pem::{self, Identity, Source},
    policy,
    verify::Rules,
};
use crate::Stream;

/// A loaded `ClientTls`.
#[derive(Debug)]
pub(crate) struct Client {
    config: Config,
    rules: Arc<Rules>,
}

impl Client {
    /// Reads what the user named; nothing has been sent yet.
    pub(crate) fn load(tls: &ClientTls) -> io::Result<Self> {
        let lists = Settings {
            ciphers: tls.ciphers.clone().unwrap_or_default(),
            ciphersuites: tls.ciphersuites.clone().unwrap_or_default(),
            ..Settings::default()
        };
        let policy = policy::choose(&lists, policy::Key::Any)?;
        let mut roots = Vec::new();
        if let Some(path) = &tls.ca_file {
            roots.extend(pem::trusted_file(source("--cacert", &named(path)))?);
        }
        if let Some(path) = &tls.ca_dir {
            roots.extend(pem::trusted_directory(source("--cacertdir", &named(path)))?);
        }
        let identity = match (&tls.certificate, &tls.private_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let (certificate, key) = (named(certificate), named(key));
                // The server judges the dates, by its clock.
                let now_s = None;
                Some(Identity::load(
                    source("--cert", &certificate),
                    source("--key", &key),
                    "",
                    now_s,
                )?)
            }
            (Some(_), None) => return Err(super::renew::refused("--cert needs --key")),
            (None, Some(_)) => return Err(super::renew::refused("--key needs --cert")),
        };
        let build = || -> Result<Config, S2nError> {
            let mut builder = config::new_builder(&policy.name)?;
            if let Some(identity) = &identity {
                builder.load_pem(&identity.chain_pem, &identity.key_pem)?;
                builder.set_client_auth_type(ClientAuthType::Optional)?;
            }
            if tls.is_insecure {
                // SAFETY: the user asked for a connection to whoever answers.
                unsafe { builder.disable_x509_verification() }?;
            } else if roots.is_empty() {
                builder.with_system_certs(true)?;
            } else {
                config::trust_all(&mut builder, &roots)?;
            }
            builder.build()
        };
        let rules = Rules {
            roots: config::ders(&roots)?,
            expected_name: tls.server_name.clone(),
            server_name: tls.server_name.clone(),
            is_insecure: tls.is_insecure,
            ..Rules::default()
        };
        let config = build().map_err(|error| io::Error::other(error.message()))?;
        Ok(Self { config, rules: Arc::new(rules) })
    }

    /// Begins a handshake with `host` over a connected stream.
    pub(crate) fn connect(&self, stream: Stream, host: &str) -> io::Result<Box<Connection>> {
        let mut connection = Connection::for_client(stream, host);
        connection.begin(self.config.clone(), Arc::clone(&self.rules))?;
        Ok(connection)
    }

    /// Goes on with the handshake as far as the socket allows.
    pub(crate) fn negotiate(&self, connection: &mut Connection) -> io::Result<Progress> {
        connection.advance()
    }
}

fn source<'a>(directive: &'a str, path: &'a Named) -> Source<'a> {
    Source { directive, path }
}

fn named(path: &Path) -> Named {
    Named::new(path.display().to_string(), path)
}
