//! Pure: what protocols, errors of s2n and alerts are called, for people who read logs.

use s2n_tls::enums::Version;

use super::Failure;

/// Names a protocol version as OpenSSL does.
pub(super) fn protocol_name(version: Version) -> &'static str {
    match version {
        Version::TLS13 => "TLSv1.3",
        Version::TLS12 => "TLSv1.2",
        Version::TLS11 => "TLSv1.1",
        Version::TLS10 => "TLSv1",
        _ => "SSLv3",
    }
}

/// Finds the words for what s2n calls an error.
pub(super) fn explain_name(name: &str) -> Option<(Failure, &'static str)> {
    let untrusted = |reason| Some((Failure::Certificate, reason));
    let nothing = |reason| Some((Failure::NothingInCommon, reason));
    match name {
        "S2N_ERR_CERT_UNTRUSTED" => untrusted("the peer's certificate is not trusted"),
        "S2N_ERR_CERT_EXPIRED" => untrusted("the peer's certificate has expired"),
        "S2N_ERR_CERT_NOT_YET_VALID" => untrusted("the peer's certificate is not yet valid"),
        "S2N_ERR_CERT_REVOKED" => untrusted("the peer's certificate is revoked"),
        "S2N_ERR_CERT_INVALID" => untrusted("the peer's certificate is invalid"),
        "S2N_ERR_CERT_MAX_CHAIN_DEPTH_EXCEEDED" => {
            untrusted("the peer's chain of certificates is too long")
        }
        "S2N_ERR_NO_CERT_FOUND" | "S2N_ERR_MISSING_CLIENT_CERT" => {
            untrusted("the peer showed no certificate")
        }
        "S2N_ERR_CERT_REJECTED" => untrusted("the peer's certificate was refused"),
        "S2N_ERR_CIPHER_NOT_SUPPORTED" => nothing("no cipher that both sides offer"),
        "S2N_ERR_PROTOCOL_VERSION_UNSUPPORTED" | "S2N_ERR_UNKNOWN_PROTOCOL_VERSION" => {
            nothing("no TLS version that both sides offer")
        }
        "S2N_ERR_INVALID_SIGNATURE_SCHEME" | "S2N_ERR_NO_VALID_SIGNATURE_SCHEME" => {
            nothing("no signature scheme that both sides offer")
        }
        "S2N_ERR_ECDHE_UNSUPPORTED_CURVE" | "S2N_ERR_INVALID_SUPPORTED_GROUP_STATE" => {
            nothing("no key exchange group that both sides offer")
        }
        _ => None,
    }
}

/// The names of RFC 8446, section 6, in words.
pub(super) fn alert_name(alert: Option<u8>) -> &'static str {
    match alert {
        Some(0) => "close notify",
        Some(10) => "unexpected message",
        Some(20) => "bad record",
        Some(40) => "handshake failure",
        Some(42) => "bad certificate",
        Some(43) => "unsupported certificate",
        Some(44) => "certificate revoked",
        Some(45) => "certificate expired",
        Some(46) => "certificate unknown",
        Some(47) => "illegal parameter",
        Some(48) => "unknown CA",
        Some(49) => "access denied",
        Some(50) => "decode error",
        Some(51) => "decrypt error",
        Some(70) => "protocol version",
        Some(71) => "insufficient security",
        Some(80) => "internal error",
        Some(86) => "inappropriate fallback",
        Some(90) => "user canceled",
        Some(109) => "missing extension",
        Some(112) => "unrecognized name",
        Some(116) => "certificate required",
        Some(120) => "no application protocol",
        _ => "unnamed alert",
    }
}
