//! Pure: the certificates themselves: who signs whom, for what, for how long.

use openssl::{
    asn1::Asn1Time,
    bn::{BigNum, MsbOption},
    ec::{EcGroup, EcKey},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    x509::{
        X509, X509Builder, X509Name, X509NameRef,
        extension::{
            AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage,
            SubjectAlternativeName, SubjectKeyIdentifier,
        },
    },
};

const AUTHORITY_NAME: &str = "Redis with SSL development CA";
const AUTHORITY_DAYS: u32 = 3650;
/// No more than browsers and mobile systems accept of a certificate.
const ISSUED_DAYS: u32 = 825;
/// A certificate's field counts from 0: this is v3.
const VERSION_3: i32 = 2;
/// Positive, and within the 20 bytes that RFC 5280 allows.
const SERIAL_BITS: i32 = 159;

/// What keys are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    /// ECDSA on NIST's P-256: a third of the handshake's cost of RSA.
    P256,
    /// For clients that know no other.
    Rsa2048,
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// To be found at `localhost`.
    Server,
    /// To be shown to servers that ask (`tls-auth-clients`).
    Client,
}

/// A certificate and its key.
pub(crate) struct Issued {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// Who signs.
pub(crate) struct Authority {
    own: Issued,
}

impl Authority {
    /// Makes a CA that trusts itself.
    pub(crate) fn new(algorithm: Algorithm) -> Result<Self, ErrorStack> {
        let key = generate(algorithm)?;
        let name = name_of(AUTHORITY_NAME)?;
        let mut builder = begin(&name, &key, AUTHORITY_DAYS)?;
        builder.set_issuer_name(&name)?;
        builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(identifier)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { own: Issued { certificate: builder.build(), key } })
    }

    /// Takes one that was made earlier.
    pub(crate) fn from_parts(certificate: X509, key: PKey<Private>) -> Self {
        Self { own: Issued { certificate, key } }
    }

    pub(crate) fn certificate(&self) -> &X509 {
        &self.own.certificate
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.own.key
    }

    /// Makes a key and signs a certificate for it.
    pub(crate) fn issue(
        &self,
        purpose: Purpose,
        algorithm: Algorithm,
    ) -> Result<Issued, ErrorStack> {
        let key = generate(algorithm)?;
        let name = name_of(purpose.common_name())?;
        let mut builder = begin(&name, &key, ISSUED_DAYS)?;
        builder.set_issuer_name(self.own.certificate.subject_name())?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        let mut usage = KeyUsage::new();
        usage.critical().digital_signature();
        if algorithm == Algorithm::Rsa2048 {
            usage.key_encipherment();
        }
        builder.append_extension(usage.build()?)?;
        let mut extended = ExtendedKeyUsage::new();
        if purpose == Purpose::Server {
            extended.server_auth();
        }
        builder.append_extension(extended.client_auth().build()?)?;
        let issuer = Some(self.own.certificate.as_ref());
        if purpose == Purpose::Server {
            let mut names = SubjectAlternativeName::new();
            names.dns("localhost").ip("127.0.0.1").ip("::1");
            let names = names.build(&builder.x509v3_context(issuer, None))?;
            builder.append_extension(names)?;
        }
        let own = SubjectKeyIdentifier::new().build(&builder.x509v3_context(issuer, None))?;
        builder.append_extension(own)?;
        // A CA of the classic recipe is X.509 v1 and has no identifier to point at.
        if self.own.certificate.subject_key_id().is_some() {
            let mut signer = AuthorityKeyIdentifier::new();
            let signer = signer.keyid(true).build(&builder.x509v3_context(issuer, None))?;
            builder.append_extension(signer)?;
        }
        builder.sign(&self.own.key, MessageDigest::sha256())?;
        Ok(Issued { certificate: builder.build(), key })
    }
}

impl Purpose {
    /// Servers that share a certificate expect its CN of each other, so the server's is a name
    /// that stands among its SANs.
    fn common_name(self) -> &'static str {
        match self {
            Self::Server => "localhost",
            Self::Client => "client",
        }
    }
}

/// Begins a certificate with what all of them have.
fn begin(name: &X509NameRef, key: &PKey<Private>, days: u32) -> Result<X509Builder, ErrorStack> {
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::ONE, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(VERSION_3)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(days)?)?;
    Ok(builder)
}

fn name_of(common_name: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, "Redis with SSL")?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}

fn generate(algorithm: Algorithm) -> Result<PKey<Private>, ErrorStack> {
    match algorithm {
        Algorithm::P256 => {
            let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            // By its name: s2n and others refuse a curve that is spelled out.
            group.set_asn1_flag(openssl::ec::Asn1Flag::NAMED_CURVE);
            PKey::from_ec_key(EcKey::generate(&group)?)
        }
        Algorithm::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?),
    }
}
