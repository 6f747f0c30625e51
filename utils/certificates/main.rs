//! Tool: makes development certificates (`make certs`): a CA of their own, a server's, a client's.
//!
//! All are X.509 v3. The server's is issued to `localhost`, `127.0.0.1` and `::1`, so that
//! clients on this machine can verify it; a server also connects to others (its primary, its
//! fellow nodes), so it may be shown by a client too. Start at `Folder::make`.
//!
//! Nothing that exists is written over: keys are opened with "must not exist", and what is
//! there already is used, so that a CA can sign again after the certificates it has signed were
//! removed. The CA's key lies beside its certificate, which is fine for development and
//! nowhere else.

mod authority;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use openssl::{bn::BigNum, dh::Dh, error::ErrorStack, pkey::PKey, x509::X509};

use authority::{Algorithm, Authority, Purpose};

const USAGE: &str = "usage: make-certificates [--rsa] FOLDER";

/// For who owns the file alone.
const SECRET_MODE: u32 = 0o600;
/// For everybody to read.
const PUBLIC_MODE: u32 = 0o644;

/// What went wrong, in words for the terminal.
#[derive(Debug)]
struct Failure(String);

impl From<ErrorStack> for Failure {
    fn from(error: ErrorStack) -> Self {
        Self(format!("OpenSSL: {error}"))
    }
}

/// Whether there was anything to do.
#[derive(PartialEq, Eq, Debug)]
enum Made {
    Nothing,
    Some,
}

/// The folder that is filled, `ssl/` for example.
struct Folder {
    path: PathBuf,
    algorithm: Algorithm,
}

fn main() -> ExitCode {
    let mut algorithm = Algorithm::P256;
    let mut path = None;
    for argument in env::args_os().skip(1) {
        match argument.to_str() {
            Some("--rsa") => algorithm = Algorithm::Rsa2048,
            Some(option) if option.starts_with('-') => return usage(),
            _ if path.is_some() => return usage(),
            _ => path = Some(PathBuf::from(argument)),
        }
    }
    let Some(path) = path else { return usage() };
    match (Folder { path, algorithm }).make() {
        Ok(Made::Some) => ExitCode::SUCCESS,
        Ok(Made::Nothing) => {
            println!("Certificates and keys are all there, and stay as they are.");
            ExitCode::SUCCESS
        }
        Err(Failure(reason)) => {
            eprintln!("make-certificates: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}

impl Folder {
    /// Makes whatever is missing.
    fn make(&self) -> Result<Made, Failure> {
        let mut made = Made::Nothing;
        let failed = |error: io::Error| Failure(format!("{}: {error}", self.path.display()));
        fs::create_dir_all(&self.path).map_err(failed)?;
        if !self.has_pair("ca")? {
            let authority = Authority::new(self.algorithm)?;
            self.write_pair("ca", authority.certificate(), authority.key())?;
            made = Made::Some;
        }
        for (name, purpose) in [("redis", Purpose::Server), ("client", Purpose::Client)] {
            if !self.has_pair(name)? {
                let issued = self.authority()?.issue(purpose, self.algorithm)?;
                self.write_pair(name, &issued.certificate, &issued.key)?;
                made = Made::Some;
            }
        }
        let dh_params = self.path.join("dhparams.pem");
        if !dh_params.exists() {
            make_dh_params(&dh_params)?;
            made = Made::Some;
        }
        Ok(made)
    }

    /// Whether `name` is here already. A half of it is not for us to complete.
    fn has_pair(&self, name: &str) -> Result<bool, Failure> {
        let (certificate, key) = self.pair(name);
        // The key of a CA may rightly be elsewhere; what needs it will say so.
        let may_lack_key = name == "ca";
        match (certificate.exists(), key.exists()) {
            (true, true) => Ok(true),
            (true, false) if may_lack_key => Ok(true),
            (false, false) => Ok(false),
            (true, false) => Err(half(&certificate, &key)),
            (false, true) => Err(half(&key, &certificate)),
        }
    }

    fn authority(&self) -> Result<Authority, Failure> {
        let (certificate, key) = self.pair("ca");
        let bad = |path: &Path, error: ErrorStack| Failure(format!("{}: {error}", path.display()));
        let read = |path: &Path| {
            fs::read(path).map_err(|error| {
                Failure(format!("{}: {error}; without it nothing can be signed", path.display()))
            })
        };
        let parsed_key = PKey::private_key_from_pem(&read(&key)?).map_err(|e| bad(&key, e))?;
        let parsed = X509::from_pem(&read(&certificate)?).map_err(|e| bad(&certificate, e))?;
        if !parsed.public_key()?.public_eq(&parsed_key) {
            let (certificate, key) = (certificate.display(), key.display());
            return Err(Failure(format!("{key} is not the key of {certificate}")));
        }
        Ok(Authority::from_parts(parsed, parsed_key))
    }

    fn write_pair(
        &self,
        name: &str,
        certificate: &X509,
        key: &PKey<openssl::pkey::Private>,
    ) -> Result<(), Failure> {
        let (certificate_path, key_path) = self.pair(name);
        write(&key_path, &key.private_key_to_pem_pkcs8()?, SECRET_MODE)?;
        write(&certificate_path, &certificate.to_pem()?, PUBLIC_MODE)
    }

    fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        (self.path.join(format!("{name}.crt")), self.path.join(format!("{name}.key")))
    }
}

fn half(present: &Path, missing: &Path) -> Failure {
    let (present, missing) = (present.display(), missing.display());
    Failure(format!("{present} is here, {missing} is not: restore the one or remove the other"))
}

/// Writes parameters for finite-field Diffie-Hellman: a prime that everybody knows
/// (RFC 3526, 2048 bits), because a fresh one takes minutes and is no better.
fn make_dh_params(path: &Path) -> Result<(), Failure> {
    let generator = BigNum::from_u32(2)?;
    let params = Dh::from_pqg(BigNum::get_rfc3526_prime_2048()?, None, generator)?;
    write(path, &params.params_to_pem()?, PUBLIC_MODE)
}

/// Writes a file that must not exist, so that nobody's key is ever lost.
fn write(path: &Path, contents: &[u8], mode: u32) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure(format!("{}: {error}", path.display()));
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(contents).map_err(failed)?;
    println!("{} is made", path.display());
    Ok(())
}

#[cfg(test)]
mod tests;
