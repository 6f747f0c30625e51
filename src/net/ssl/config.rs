//! Room: what one load of the settings gives s2n: a configuration for each side.
//!
//! Everything is read and checked before anything is built, so a failing load leaves
//! nothing behind. Trust comes from the settings alone; where they name nobody, from the
//! system's bundle. Our own certificate joins it (`verify` keeps it from issuing).

use std::{fmt, io, sync::Arc, time::Duration};

use openssl::x509::X509;
use s2n_tls::{
    config::{Builder, Config},
    enums::ClientAuthType,
    error::Error as S2nError,
    security::Policy,
};

use super::{
    AuthClients, Settings,
    info::Facts,
    libcrypto,
    pem::{self, Identity, Source},
    policy, tickets,
    verify::{AnyName, Names, Rules, Verdict},
};

/// Certificates, trust and policy, loaded.
pub(crate) struct Context {
    server: Config,
    client: Config,
    rules: Arc<Rules>,
    facts: Facts,
    summary: String,
    ticket_half_life_s: Option<u64>,
}

/// Everything that was read, before it is handed to s2n.
struct Material {
    server: Identity,
    client: Option<Identity>,
    roots: Option<Vec<X509>>,
    dh_params: Option<Vec<u8>>,
    policy: policy::Choice,
}

impl Context {
    pub(super) fn load(settings: &Settings, now_s: u64) -> io::Result<Self> {
        // Certificates are the first that libcrypto is used for.
        libcrypto::take_memory_from_jemalloc();
        let material = Material::read(settings, now_s)?;
        let rules = Arc::new(material.rules(settings)?);
        let failed = |error: S2nError| io::Error::other(format!("s2n: {}", error.message()));
        // `CONFIG SET tls-session-cache-timeout 0` means the default in Redis.
        let timeout_s = match settings.session_cache_timeout_s {
            0 => 300,
            seconds => seconds,
        };
        let ticket_half_life_s = settings.session_caching.then(|| timeout_s.div_ceil(2));
        let server = material.server_config(settings, ticket_half_life_s).map_err(failed)?;
        let client = material.client_config().map_err(failed)?;
        let context = Self {
            server,
            client,
            rules,
            facts: material.facts(),
            summary: material.policy.summary,
            ticket_half_life_s,
        };
        context.rotate_ticket_keys()?;
        Ok(context)
    }

    pub(super) fn server_config(&self) -> Config {
        self.server.clone()
    }

    pub(super) fn client_config(&self) -> Config {
        self.client.clone()
    }

    pub(super) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn summary(&self) -> String {
        self.summary.clone()
    }

    /// After how many seconds `rotate_ticket_keys` is due again.
    pub(super) fn ticket_half_life_s(&self) -> Option<u64> {
        self.ticket_half_life_s
    }

    pub(super) fn rotate_ticket_keys(&self) -> io::Result<()> {
        match self.ticket_half_life_s {
            Some(_) => tickets::add_key(&self.server),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Material {
    fn read(settings: &Settings, now_s: u64) -> io::Result<Self> {
        let missing = |directive: &str| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{directive} is not given"))
        };
        if settings.certificate_file.is_empty() {
            return Err(missing("certificate-file (tls-cert-file)"));
        }
        if settings.private_key_file.is_empty() {
            return Err(missing("private-key-file (tls-key-file)"));
        }
        let server = Identity::load(
            Source { directive: "certificate-file", path: &settings.certificate_file },
            Source { directive: "private-key-file", path: &settings.private_key_file },
            &settings.key_password,
            Some(now_s),
        )?;
        let client = match &settings.client_certificate_file {
            path if path.is_empty() && settings.client_key_file.is_empty() => None,
            path if path.is_empty() => return Err(missing("tls-client-cert-file")),
            _ if settings.client_key_file.is_empty() => {
                return Err(missing("tls-client-key-file"));
            }
            path => Some(Identity::load(
                Source { directive: "tls-client-cert-file", path },
                Source { directive: "tls-client-key-file", path: &settings.client_key_file },
                &settings.client_key_password,
                Some(now_s),
            )?),
        };
        let dh_params = match &settings.dh_params_file {
            path if path.is_empty() => None,
            path => Some(pem::dh_params(Source { directive: "dh-params-file", path })?),
        };
        let policy = policy::choose(settings, server.key)?;
        Ok(Self { server, client, roots: roots(settings)?, dh_params, policy })
    }

    fn server_config(
        &self,
        settings: &Settings,
        ticket_half_life_s: Option<u64>,
    ) -> Result<Config, S2nError> {
        let mut builder = new_builder(&self.policy.name)?;
        builder.load_pem(&self.server.chain_pem, &self.server.key_pem)?;
        if let Some(params) = &self.dh_params {
            builder.add_dhparams(params)?;
        }
        let auth = match settings.auth_clients {
            AuthClients::No => ClientAuthType::None,
            AuthClients::Optional => ClientAuthType::Optional,
            AuthClients::Yes => ClientAuthType::Required,
        };
        builder.set_client_auth_type(auth)?;
        if settings.auth_clients != AuthClients::No {
            self.trust(&mut builder)?;
        }
        builder.enable_session_tickets(ticket_half_life_s.is_some())?;
        if let Some(seconds) = ticket_half_life_s {
            // The first half of its life a key makes tickets, the second it opens them.
            let half_life = Duration::from_secs(seconds);
            builder.set_ticket_key_encrypt_decrypt_lifetime(half_life)?;
            builder.set_ticket_key_decrypt_lifetime(half_life)?;
        }
        builder.build()
    }

    fn client_config(&self) -> Result<Config, S2nError> {
        let mut builder = new_builder(&self.policy.name)?;
        let identity = self.client.as_ref().unwrap_or(&self.server);
        builder.load_pem(&identity.chain_pem, &identity.key_pem)?;
        // s2n shows a certificate where it is asked for one.
        builder.set_client_auth_type(ClientAuthType::Optional)?;
        self.trust(&mut builder)?;
        builder.build()
    }

    fn trust(&self, builder: &mut Builder) -> Result<(), S2nError> {
        match &self.roots {
            None => drop(builder.with_system_certs(true)?),
            Some(roots) => trust_all(builder, roots)?,
        }
        trust_all(builder, &self.server.chain[..1])
    }

    fn rules(&self, settings: &Settings) -> io::Result<Rules> {
        let own = &self.server.chain[0];
        let expected_name = match settings.expected_peer_name.as_str() {
            // The guide's rule: nodes of one recipe are called alike.
            "" => Names::of(own).ok().and_then(|names| names.common),
            name => Some(name.to_owned()),
        };
        let server_name =
            (!settings.expected_peer_name.is_empty()).then(|| settings.expected_peer_name.clone());
        let roots = ders(self.roots.as_deref().unwrap_or_default())?;
        let own = Some(own.to_der()?);
        Ok(Rules { own, roots, expected_name, server_name, is_insecure: false })
    }

    fn facts(&self) -> Facts {
        let own = &self.server.chain[0];
        let expires = |chain: &[X509]| {
            chain.iter().map(|one| pem::seconds(one.not_after())).min().unwrap_or(0)
        };
        Facts {
            not_before: own.not_before().to_string(),
            not_after: own.not_after().to_string(),
            serial: pem::serial(own),
            server_expires_s: expires(&self.server.chain),
            client_expires_s: expires(&self.client.as_ref().unwrap_or(&self.server).chain),
            ca_expires_s: self.roots.as_deref().map(expires),
            policy: self.policy.name.clone(),
        }
    }
}

/// Begins a configuration as every connection of ours has it.
pub(super) fn new_builder(policy: &str) -> Result<Builder, S2nError> {
    let mut builder = Config::builder();
    builder.with_system_certs(false)?;
    builder.set_security_policy(&Policy::from_version(policy)?)?;
    // A bad record closes the connection at once; nothing here may sleep.
    builder.set_max_blinding_delay(0)?;
    builder.set_verify_host_callback(AnyName)?;
    builder.set_cert_validation_callback_sync(Verdict)?;
    tickets::receive_many_records(&mut builder)?;
    Ok(builder)
}

pub(super) fn trust_all(builder: &mut Builder, roots: &[X509]) -> Result<(), S2nError> {
    for root in roots {
        let pem = root.to_pem().map_err(|error| S2nError::application(Box::new(error)))?;
        builder.trust_pem(&pem)?;
    }
    Ok(())
}

pub(super) fn ders(certificates: &[X509]) -> io::Result<Vec<Vec<u8>>> {
    let ders = certificates.iter().map(|one| one.to_der());
    Ok(ders.collect::<Result<_, _>>()?)
}

/// Reads whom to trust; nothing where the settings name nobody.
fn roots(settings: &Settings) -> io::Result<Option<Vec<X509>>> {
    let mut roots = Vec::new();
    let root_path = &settings.root_ca_certs_path;
    if !root_path.is_empty() {
        let source = Source { directive: "root-ca-certs-path", path: root_path };
        roots.extend(match root_path.at().is_dir() {
            true => pem::trusted_directory(source)?,
            false => pem::trusted_file(source)?,
        });
    }
    if !settings.ca_file.is_empty() {
        let source = Source { directive: "tls-ca-cert-file", path: &settings.ca_file };
        roots.extend(pem::trusted_file(source)?);
    }
    if !settings.ca_dir.is_empty() {
        let source = Source { directive: "tls-ca-cert-dir", path: &settings.ca_dir };
        roots.extend(pem::trusted_directory(source)?);
    }
    Ok((!roots.is_empty()).then_some(roots))
}
