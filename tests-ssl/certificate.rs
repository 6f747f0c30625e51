//! Tool: a certificate that is made for one test run, and those who trust it.

use std::{
    env, fs,
    io::{self, Write},
    net::TcpStream,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use conversation::{Connect, Program, Stream};
use openssl::{
    asn1::Asn1Time,
    bn::{BigNum, MsbOption},
    ec::{EcGroup, EcKey},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    ssl::{Ssl, SslContext, SslMethod, SslVerifyMode},
    x509::{
        X509, X509NameBuilder,
        extension::{BasicConstraints, SubjectAlternativeName},
    },
};

/// The name that servers are asked for.
const HOST: &str = "localhost";

/// A certificate that signed itself, with its key, in files that are deleted when it is dropped.
pub struct Certificate {
    certificate: X509,
    directory: PathBuf,
}

impl Certificate {
    /// Makes one, valid from now on for a day, in a directory of this name.
    pub fn new(name: &str) -> io::Result<Self> {
        let (certificate, key) = make()?;
        let directory = env::temp_dir().join(format!("redis-ssl-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("certificate.pem"), certificate.to_pem()?)?;
        let secret = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(directory.join("key.pem"));
        secret?.write_all(&key.private_key_to_pem_pkcs8()?)?;
        Ok(Self { certificate, directory })
    }

    /// Where the certificate is, in PEM.
    pub fn certificate_file(&self) -> PathBuf {
        self.directory.join("certificate.pem")
    }

    /// Where its key is, in PEM.
    pub fn key_file(&self) -> PathBuf {
        self.directory.join("key.pem")
    }

    /// Its serial number as INFO shows it.
    pub fn serial(&self) -> String {
        let number = self.certificate.serial_number().to_bn();
        let text = number.and_then(|number| number.to_hex_str());
        text.expect("it has a serial number").to_lowercase()
    }

    /// Has a server speak TLS on every port, by the directives of Redis with SSL.
    pub fn over_ssl(&self, server: Program) -> Program {
        let (certificate, key) = (text(&self.certificate_file()), text(&self.key_file()));
        server
            .with(&["--enable-ssl", "yes", "--certificate-file", &certificate])
            .with(&["--private-key-file", &key, "--root-ca-certs-path", &certificate])
            .over_tls("--port", self.connect())
    }

    /// Has a server speak TLS on a port for it, by Redis's own directives.
    pub fn over_tls_port(&self, server: Program) -> Program {
        let (certificate, key) = (text(&self.certificate_file()), text(&self.key_file()));
        server
            .with(&["--tls-cert-file", &certificate, "--tls-key-file", &key])
            .with(&["--tls-ca-cert-file", &certificate, "--tls-auth-clients", "no"])
            .over_tls("--tls-port", self.connect())
    }

    /// Makes TLS of a connection, as a client that trusts this certificate and no other.
    pub fn connect(&self) -> Connect {
        let build = || -> Result<SslContext, ErrorStack> {
            // An `SslConnector` would read the system's whole bundle.
            let mut builder = SslContext::builder(SslMethod::tls_client())?;
            builder.cert_store_mut().add_cert(self.certificate.clone())?;
            builder.set_verify(SslVerifyMode::PEER);
            Ok(builder.build())
        };
        let context = build().expect("OpenSSL takes what it has made");
        Arc::new(move |socket: TcpStream| {
            let mut ssl = Ssl::new(&context)?;
            ssl.set_hostname(HOST)?;
            ssl.param_mut().set_host(HOST)?;
            let stream = ssl.connect(socket).map_err(io::Error::other)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn make() -> Result<(X509, PKey<Private>), ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", HOST)?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(64, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(1)?)?;
    builder.set_pubkey(&key)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    let mut names = SubjectAlternativeName::new();
    let names = names.dns(HOST).ip("127.0.0.1").build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(&key, MessageDigest::sha256())?;
    Ok((builder.build(), key))
}

fn text(path: &Path) -> String {
    path.to_str().expect("the temporary directory has a name in UTF-8").to_string()
}
