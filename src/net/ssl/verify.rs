//! Pure: who is trusted, beyond the chain.
//!
//! s2n walks the chain to a trusted root and checks signatures and dates; it asks us twice.
//! First for each name of the peer's certificate, where we say yes to all, because the rule
//! needs to see them together. Then, with the chain it built, for our verdict:
//!
//! - A certificate that is trusted *itself* (our own, which nodes of one recipe share, or one
//!   that stands in the file of roots) needs no name: nobody else has its key.
//! - Our own certificate is trusted as itself, never as an issuer, unless it also stands
//!   among the roots.
//! - Names that two parsers could read in two ways (a NUL inside, several CNs, two-byte
//!   characters, nothing) are refused whatever the rule, on both sides.
//! - Where we connect, the name must be the expected one: a configured name, else the CN of
//!   our own certificate, else the host that we connected to. Compared are the DNS names of
//!   the certificate, the CN only where it has none, an address only with addresses.

use std::{net::IpAddr, sync::Arc};

use openssl::{
    nid::Nid,
    x509::{GeneralNameRef, X509, X509Ref},
};
use s2n_tls::{
    callbacks::{CertValidationCallbackSync, CertValidationInfo, VerifyHostNameCallback},
    connection::Connection as Tls,
    enums::Mode,
};

/// What a connection's certificates are judged by; belongs to a generation.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// DER of our own certificate.
    pub(super) own: Option<Vec<u8>>,
    /// DER of the roots: each is trusted itself, besides what it may issue.
    pub(super) roots: Vec<Vec<u8>>,
    /// What a peer must be called; nothing means the host that was connected to.
    pub(super) expected_name: Option<String>,
    /// The name to ask for (SNI), where it is not the host's.
    pub(super) server_name: Option<String>,
    /// Nothing is checked: a tool was told so.
    pub(super) is_insecure: bool,
}

/// What belongs to one connection: kept at s2n's, where the verdict is asked for.
#[derive(Debug)]
pub(super) struct Checks {
    rules: Arc<Rules>,
    host: Option<Box<str>>,
    /// Why we said no.
    pub(super) refusal: Option<String>,
    pub(super) peer_name: Option<String>,
}

/// The names in a certificate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) common: Option<String>,
    dns: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Rules {
    pub(super) fn server_name<'a>(&'a self, host: Option<&'a str>) -> Option<&'a str> {
        host.map(|host| self.server_name.as_deref().unwrap_or(host))
    }
}

impl Checks {
    pub(super) fn new(rules: Arc<Rules>, host: Option<Box<str>>) -> Self {
        Self { rules, host, refusal: None, peer_name: None }
    }

    fn judge(&mut self, chain: &[X509]) -> Result<(), String> {
        let rules = &self.rules;
        let leaf = chain.first().ok_or("the peer showed no certificate")?;
        let names = Names::of(leaf)?;
        self.peer_name = names.shown();
        let leaf = leaf.to_der().map_err(|_| unreadable())?;
        if rules.own.as_ref() == Some(&leaf) || rules.roots.contains(&leaf) {
            return Ok(());
        }
        let root = chain.last().expect("it has a first").to_der().map_err(|_| unreadable())?;
        if rules.own.as_ref() == Some(&root) && !rules.roots.contains(&root) {
            return Err("the peer's certificate is issued by ours, which is no CA".to_owned());
        }
        let Some(host) = self.host.as_deref() else { return Ok(()) };
        let expected = rules.expected_name.as_deref().unwrap_or(host);
        if names.include(expected) {
            return Ok(());
        }
        Err(format!("the peer's certificate is for {}, not for \"{expected}\"", names.list()))
    }
}

impl Names {
    /// Reads them, or tells which of them is unfit to be compared.
    pub(super) fn of(certificate: &X509Ref) -> Result<Self, String> {
        let mut names = Self::default();
        for entry in certificate.subject_name().entries_by_nid(Nid::COMMONNAME) {
            if names.common.is_some() {
                return Err("the peer's certificate has several common names".to_owned());
            }
            let text = plain_text(entry.data().as_slice())?;
            // In an encoding of two or four bytes the same bytes are other characters.
            if !entry.data().to_string().is_ok_and(|same| same == text) {
                return Err("the common name of the peer's certificate is no plain text".to_owned());
            }
            names.common = Some(text);
        }
        let Some(alternatives) = certificate.subject_alt_names() else { return Ok(names) };
        for name in &alternatives {
            if let Some(text) = name.dnsname() {
                names.dns.push(plain_text(text.as_bytes())?);
            } else if let Some(octets) = name.ipaddress() {
                names.addresses.push(address(octets)?);
            } else if !is_of_other_kind(name) {
                return Err("an alternative name of the peer's certificate is no text".to_owned());
            }
        }
        Ok(names)
    }

    /// Whether the certificate is for this name or address.
    pub(super) fn include(&self, expected: &str) -> bool {
        if let Ok(address) = expected.parse::<IpAddr>() {
            return self.addresses.contains(&address.to_canonical());
        }
        let common = self.common.iter().filter(|_| self.dns.is_empty());
        self.dns.iter().chain(common).any(|pattern| matches_name(pattern, expected))
    }

    /// The one to show in lists.
    fn shown(&self) -> Option<String> {
        self.common.clone().or_else(|| self.dns.first().cloned())
    }

    fn list(&self) -> String {
        let mut all: Vec<String> = self.dns.iter().map(|name| format!("\"{name}\"")).collect();
        all.extend(self.addresses.iter().map(ToString::to_string));
        if all.is_empty() {
            all.extend(self.common.iter().map(|name| format!("\"{name}\"")));
        }
        if all.is_empty() { "no name at all".to_owned() } else { all.join(", ") }
    }
}

/// Accepts each name on its own: `Checks` sees them together.
pub(super) struct AnyName;

impl VerifyHostNameCallback for AnyName {
    fn verify_host_name(&self, _: &str) -> bool {
        true
    }
}

/// Asked by s2n once the chain is good.
pub(super) struct Verdict;

impl CertValidationCallbackSync for Verdict {
    fn handle_validation(&self, tls: &mut Tls, _: &mut CertValidationInfo) -> bool {
        // A server's own certificate is not what is validated here, only the peer's.
        debug_assert!(matches!(tls.mode(), Mode::Server | Mode::Client));
        let insecure =
            tls.application_context::<Checks>().is_some_and(|checks| checks.rules.is_insecure);
        if insecure {
            return true;
        }
        let chain = peer_chain(tls);
        let Some(checks) = tls.application_context_mut::<Checks>() else { return false };
        let outcome = chain.and_then(|chain| checks.judge(&chain));
        checks.refusal = outcome.err();
        checks.refusal.is_none()
    }
}

fn peer_chain(tls: &Tls) -> Result<Vec<X509>, String> {
    let chain = tls.peer_cert_chain().map_err(|_| unreadable())?;
    chain
        .iter()
        .map(|one| {
            let one = one.map_err(|_| unreadable())?;
            let der = one.der().map_err(|_| unreadable())?;
            X509::from_der(der).map_err(|_| unreadable())
        })
        .collect()
}

fn unreadable() -> String {
    "the peer's certificate cannot be read".to_owned()
}

/// Whether an alternative name is one that hosts are not called by. A host's name that is not
/// text is of no kind that OpenSSL shows.
fn is_of_other_kind(name: &GeneralNameRef) -> bool {
    name.email().is_some() || name.uri().is_some() || name.directory_name().is_some()
}

/// Takes text that every reader reads alike.
fn plain_text(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "a name is not text".to_owned());
    match text {
        Ok("") => Err("the peer's certificate has an empty name".to_owned()),
        // Two-byte characters show NULs too.
        Ok(text) if text.contains('\0') => {
            Err("a name in the peer's certificate has a NUL byte".to_owned())
        }
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err("a name in the peer's certificate is not text".to_owned()),
    }
}

fn address(octets: &[u8]) -> Result<IpAddr, String> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Ok(four.into());
    }
    if let Ok(sixteen) = <[u8; 16]>::try_from(octets) {
        return Ok(IpAddr::from(sixteen).to_canonical());
    }
    Err("an address in the peer's certificate has no known length".to_owned())
}

/// Equal, ignoring case, or `*` for exactly one label on the left.
fn matches_name(pattern: &str, name: &str) -> bool {
    if pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    let Some(suffix) = pattern.strip_prefix("*.") else { return false };
    let Some((label, rest)) = name.split_once('.') else { return false };
    // `*.com` would be a whole country.
    !label.is_empty() && suffix.contains('.') && suffix.eq_ignore_ascii_case(rest)
}

#[cfg(test)]
mod tests {
    use super::{matches_name, plain_text};

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(matches_name("Redis.example", "redis.EXAMPLE"));
        assert!(matches_name("*.example.com", "a.example.com"));
        assert!(matches_name("*", "*"), "the guide's certificates");
        for (pattern, name) in [
            ("*.example.com", "a.b.example.com"),
            ("*.example.com", "example.com"),
            ("*.example.com", ".example.com"),
            ("*.com", "example.com"),
            ("*", "example"),
            ("a*.example.com", "ab.example.com"),
            ("a.*.com", "a.b.com"),
        ] {
            assert!(!matches_name(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn names_that_can_be_read_in_two_ways_are_refused() {
        assert_eq!(plain_text(b"redis").unwrap(), "redis");
        for name in [&b""[..], b"redis\0.evil", b"\0r\0e", b"\xff\xfe"] {
            assert!(plain_text(name).is_err(), "{name:?}");
        }
    }
}
