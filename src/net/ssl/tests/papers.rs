//! Tool: certificates and keys for tests, made on the spot.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use openssl::{
    asn1::{Asn1Time, Asn1Type},
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    symm::Cipher,
    x509::{
        X509, X509NameBuilder,
        extension::{BasicConstraints, SubjectAlternativeName},
    },
};

use super::now_s;

static NEXT: AtomicU32 = AtomicU32::new(0);
const DAY_S: i64 = 86_400;

/// A folder of PEM files that goes with its owner.
pub(super) struct Papers {
    folder: PathBuf,
    ca: Issued,
}

#[derive(Clone)]
pub(super) struct Issued {
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
}

/// Bytes, and what kind of text they say they are.
pub(super) type CommonName<'a> = (&'a [u8], Asn1Type);

/// What a certificate says.
pub(super) struct Wanted<'a> {
    pub(super) common: &'a [CommonName<'a>],
    pub(super) dns: &'a [&'a str],
    pub(super) days: (i64, i64),
    pub(super) serial: &'a str,
    pub(super) is_ca: bool,
    /// An X.509 v1 certificate has no extensions.
    pub(super) is_old: bool,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            common: &[],
            dns: &[],
            days: (-1, 30),
            serial: "0A1B2C",
            is_ca: false,
            is_old: false,
        }
    }
}

impl Papers {
    /// Makes a CA, and a server that it vouches for.
    pub(super) fn new() -> Self {
        let number = NEXT.fetch_add(1, Relaxed);
        let folder = std::env::temp_dir().join(format!("net-ssl-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let ca = issue(
            &Wanted { common: &[plain(b"CA")], is_ca: true, ..Wanted::default() },
            ec(),
            None,
        );
        let papers = Self { folder, ca };
        papers.write("ca.crt", &papers.ca.certificate.to_pem().unwrap());
        papers.issue("server", &server());
        papers
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn write(&self, name: &str, text: &[u8]) -> String {
        fs::write(self.folder.join(name), text).unwrap();
        self.path(name)
    }

    /// Makes a certificate that the CA vouches for, as `name.crt` and `name.key`.
    pub(super) fn issue(&self, name: &str, wanted: &Wanted<'_>) -> Issued {
        self.save(name, issue(wanted, ec(), Some(&self.ca)))
    }

    pub(super) fn save(&self, name: &str, issued: Issued) -> Issued {
        self.write(&format!("{name}.crt"), &issued.certificate.to_pem().unwrap());
        self.write(&format!("{name}.key"), &issued.key.private_key_to_pem_pkcs8().unwrap());
        issued
    }

    pub(super) fn encrypt(&self, name: &str, issued: &Issued, password: &[u8]) -> String {
        let cipher = Cipher::aes_128_cbc();
        let pem = issued.key.private_key_to_pem_pkcs8_passphrase(cipher, password).unwrap();
        self.write(name, &pem)
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn server() -> Wanted<'static> {
    Wanted {
        common: &[(b"localhost", Asn1Type::UTF8STRING)],
        dns: &["localhost"],
        ..Wanted::default()
    }
}

pub(super) const fn plain(name: &[u8]) -> CommonName<'_> {
    (name, Asn1Type::UTF8STRING)
}

pub(super) fn ec() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub(super) fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

/// Signs with the issuer, or with itself.
pub(super) fn issue(wanted: &Wanted<'_>, key: PKey<Private>, issuer: Option<&Issued>) -> Issued {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("O", "Test").unwrap();
    for (text, kind) in wanted.common {
        // As bytes: a NUL must come through.
        name.append_entry_by_nid_with_type(
            Nid::COMMONNAME,
            std::str::from_utf8(text).unwrap(),
            *kind,
        )
        .unwrap();
    }
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(if wanted.is_old { 0 } else { 2 }).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(issuer.map_or(&*name, |one| one.certificate.subject_name())).unwrap();
    let serial = BigNum::from_hex_str(wanted.serial).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    let day =
        |days: i64| Asn1Time::from_unix(i64::try_from(now_s()).unwrap() + days * DAY_S).unwrap();
    builder.set_not_before(&day(wanted.days.0)).unwrap();
    builder.set_not_after(&day(wanted.days.1)).unwrap();
    builder.set_pubkey(&key).unwrap();
    if wanted.is_ca {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    if !wanted.dns.is_empty() {
        let mut names = SubjectAlternativeName::new();
        for dns in wanted.dns {
            names.dns(dns);
        }
        let context = builder.x509v3_context(None, None);
        let extension = names.build(&context).unwrap();
        builder.append_extension(extension).unwrap();
    }
    builder.sign(issuer.map_or(&key, |one| &one.key), MessageDigest::sha256()).unwrap();
    Issued { certificate: builder.build(), key }
}
