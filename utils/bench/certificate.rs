//! Tool: a certificate for the length of a run: P-256, of its own issue.

use std::{fs, path::Path};

use openssl::{
    asn1::Asn1Time,
    bn::{BigNum, MsbOption},
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    ssl::{SslContext, SslMethod, SslMode, SslVerifyMode},
    x509::{X509, X509NameBuilder, extension::SubjectAlternativeName, store::X509StoreBuilder},
};

use crate::Outcome;

const SERIAL_BITS: i32 = 127;

/// Makes `server.crt` and `server.key` in a folder and returns the certificate.
pub(crate) fn make(folder: &Path) -> Outcome<X509> {
    let key = EcKey::generate(&*EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?)?;
    let key = PKey::from_ec_key(key)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "bench")?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(2)?)?;
    let names =
        SubjectAlternativeName::new().ip("127.0.0.1").build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(&key, MessageDigest::sha256())?;
    let certificate = builder.build();
    fs::write(folder.join("server.crt"), certificate.to_pem()?)?;
    fs::write(folder.join("server.key"), key.private_key_to_pem_pkcs8()?)?;
    Ok(certificate)
}

/// Makes the client's side, which trusts nobody but that certificate.
pub(crate) fn client_context(trusted: &X509) -> Outcome<SslContext> {
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(trusted.clone())?;
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_cert_store(store.build());
    builder.set_verify(SslVerifyMode::PEER);
    builder.set_mode(SslMode::ENABLE_PARTIAL_WRITE | SslMode::ACCEPT_MOVING_WRITE_BUFFER);
    Ok(builder.build())
}
