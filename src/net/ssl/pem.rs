//! Pure: certificates, keys and parameters from PEM files, checked before anybody sees them.
//!
//! Every error begins with the directive and the file, then says the reason.

use std::{fs, io};

use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    dh::Dh,
    error::ErrorStack,
    pkey::{Id, PKey, Private},
    x509::{X509, X509Ref, X509VerifyResult},
};

use super::{Named, policy, secret::Secret};

/// PEM that s2n is given: written anew from what was parsed, so that it reads the same.
pub(super) struct Identity {
    pub(super) chain: Vec<X509>,
    pub(super) chain_pem: Vec<u8>,
    pub(super) key_pem: Secret,
    pub(super) key: policy::Key,
}

/// Which file an error is about.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) directive: &'a str,
    pub(super) path: &'a Named,
}

impl Source<'_> {
    pub(super) fn error(&self, reason: impl std::fmt::Display) -> io::Error {
        let (directive, path) = (self.directive, self.path.shown());
        io::Error::new(io::ErrorKind::InvalidInput, format!("{directive} {path}: {reason}"))
    }

    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(self.path.at()).map_err(|error| self.error(crate::listener::text_of(&error)))
    }
}

impl Identity {
    /// Reads a certificate with its chain, and its key: they match, they are valid at `now_s`
    /// if that is given, and each certificate is issued by the next.
    pub(super) fn load(
        certificate: Source<'_>,
        private_key: Source<'_>,
        password: &str,
        now_s: Option<u64>,
    ) -> io::Result<Self> {
        let chain = certificates(certificate, &certificate.read()?)?;
        let key = read_key(private_key, password)?;
        let leaf_key = chain[0].public_key().map_err(|_| {
            certificate.error("the certificate's key is of a kind that is not supported")
        })?;
        if !leaf_key.public_eq(&key) {
            let reason =
                format!("the key does not match the certificate in {}", certificate.path.shown());
            return Err(private_key.error(reason));
        }
        for (one, now_s) in chain.iter().zip(now_s.into_iter().cycle()) {
            check_dates(certificate, one, now_s)?;
        }
        for pair in chain.windows(2) {
            if pair[1].issued(&pair[0]) != X509VerifyResult::OK {
                let reason = format!(
                    "the chain is out of order: \"{}\" did not issue \"{}\"",
                    subject(&pair[1]),
                    subject(&pair[0])
                );
                return Err(certificate.error(reason));
            }
        }
        let chain_pem = join_pem(&chain).map_err(|error| certificate.error(error))?;
        let key_pem = key.private_key_to_pem_pkcs8().map_err(|error| private_key.error(error))?;
        let key = match key.id() {
            Id::RSA | Id::RSA_PSS => policy::Key::Rsa,
            Id::EC => policy::Key::Ecdsa,
            _ => return Err(private_key.error("only RSA and ECDSA keys are supported")),
        };
        Ok(Self { chain, chain_pem, key_pem: Secret::new(key_pem), key })
    }
}

/// Parses all certificates of a file, at least one.
pub(super) fn certificates(source: Source<'_>, text: &[u8]) -> io::Result<Vec<X509>> {
    let found = X509::stack_from_pem(text)
        .map_err(|error| source.error(format!("not a PEM certificate: {}", first(&error))))?;
    if found.is_empty() {
        return Err(source.error("holds no PEM certificate"));
    }
    Ok(found)
}

/// Reads those to trust from a file.
pub(super) fn trusted_file(source: Source<'_>) -> io::Result<Vec<X509>> {
    certificates(source, &source.read()?)
}

/// Reads those to trust from every file of a directory that holds a certificate.
pub(super) fn trusted_directory(source: Source<'_>) -> io::Result<Vec<X509>> {
    let entries = fs::read_dir(source.path.at())
        .map_err(|error| source.error(crate::listener::text_of(&error)))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(|error| source.error(error))?;
    paths.sort();
    let mut found: Vec<X509> = Vec::new();
    for path in paths.iter().filter(|path| path.is_file()) {
        // A directory of certificates may hold keys and notes as well.
        let Ok(text) = fs::read(path).map(Secret::new) else { continue };
        for one in X509::stack_from_pem(&text).unwrap_or_default() {
            // Hashed directories name each certificate twice.
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    if found.is_empty() {
        return Err(source.error("no file in this directory holds a PEM certificate"));
    }
    Ok(found)
}

/// Reads parameters of DHE, which must be a safe prime of a size that is still sound.
pub(super) fn dh_params(source: Source<'_>) -> io::Result<Vec<u8>> {
    let text = source.read()?;
    let is_x942 = text.windows(17).any(|window| window == b"X9.42 DH PARAMETE");
    if is_x942 {
        return Err(source.error("X9.42 parameters are not supported: make PKCS#3 ones"));
    }
    let params = Dh::params_from_pem(&text)
        .map_err(|error| source.error(format!("no PEM DH parameters: {}", first(&error))))?;
    let bits = params.prime_p().num_bits();
    if bits < 2048 {
        return Err(source.error(format!("a prime of {bits} bits is too short, 2048 is least")));
    }
    if !params.check_key().map_err(|error| source.error(error))? {
        return Err(source.error("the parameters are not sound"));
    }
    params.params_to_pem().map_err(|error| source.error(error))
}

pub(super) fn join_pem(certificates: &[X509]) -> Result<Vec<u8>, ErrorStack> {
    let mut text = Vec::new();
    for one in certificates {
        text.extend(one.to_pem()?);
    }
    Ok(text)
}

/// Seconds since the epoch.
pub(super) fn seconds(time: &Asn1TimeRef) -> i64 {
    let Ok(epoch) = Asn1Time::from_unix(0) else { return 0 };
    let Ok(since) = epoch.diff(time) else { return 0 };
    i64::from(since.days) * 86_400 + i64::from(since.secs)
}

/// Lower-case hex, of any length.
pub(super) fn serial(certificate: &X509Ref) -> String {
    let number = certificate.serial_number().to_bn().and_then(|number| number.to_hex_str());
    number.map(|text| text.to_ascii_lowercase()).unwrap_or_default()
}

pub(super) fn subject(certificate: &X509Ref) -> String {
    let entries = certificate.subject_name().entries().map(|entry| {
        let name = entry.object().nid().short_name().unwrap_or("?");
        let value = entry.data().to_string().unwrap_or_default();
        format!("{name}={value}")
    });
    entries.collect::<Vec<_>>().join(", ")
}

fn read_key(source: Source<'_>, password: &str) -> io::Result<PKey<Private>> {
    let text = Secret::new(source.read()?);
    let mut is_asked = false;
    // Never without a callback: OpenSSL would ask the terminal.
    let key = PKey::private_key_from_pem_callback(&text, |space| {
        is_asked = true;
        let password = password.as_bytes();
        let bytes = password.len().min(space.len());
        space[..bytes].copy_from_slice(&password[..bytes]);
        Ok(bytes)
    });
    key.map_err(|error| match (is_asked, password.is_empty()) {
        (true, true) => source.error("the key is encrypted and no password is configured"),
        (true, false) => source.error("the password does not open the key"),
        (false, _) => source.error(format!("not a PEM private key: {}", first(&error))),
    })
}

fn check_dates(source: Source<'_>, certificate: &X509Ref, now_s: u64) -> io::Result<()> {
    let now_s = i64::try_from(now_s).unwrap_or(i64::MAX);
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    if now_s < seconds(not_before) {
        let name = subject(certificate);
        return Err(source.error(format!("\"{name}\" is not valid before {not_before}")));
    }
    if seconds(not_after) < now_s {
        let name = subject(certificate);
        return Err(source.error(format!("\"{name}\" expired on {not_after}")));
    }
    Ok(())
}

fn first(errors: &ErrorStack) -> String {
    let reason = errors.errors().first().and_then(|error| error.reason());
    reason.unwrap_or("unreadable").to_owned()
}
