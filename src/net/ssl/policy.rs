//! Pure: protocols and ciphers of Redis's directives, as an s2n security policy.
//!
//! s2n has no free lists: a policy is a name for a fixed set of versions, cipher suites,
//! signatures and groups. What each holds is asked of s2n itself, so this cannot be wrong
//! about it. The rule: what is asked for by name is offered exactly, or the directive is
//! refused; a keyword (`DEFAULT`, `HIGH`, `!SHA1`) is a bound, and the policy stays within.
//! Which policy serves is returned for the log and for `INFO ssl`.

#![expect(unsafe_code, reason = "asks s2n by its C interface what a policy holds")]

use std::{
    collections::BTreeSet,
    ffi::{CString, c_char, c_int},
    io, ptr,
};

use super::{Settings, renew::refused};

/// TLS 1.2 and 1.3, forward secrecy; AEAD goes before CBC, which has no SHA-1.
pub(super) const DEFAULT: &str = "20240503";

/// Policies to choose from for given lists, the better first: of all that s2n 0.3.47 names,
/// one for each set of versions and ciphers. Those for SSLv3 and for tests are left out.
const CANDIDATES: &[&str] = &[
    DEFAULT,
    "20251114",
    "KMS-TLS-1-2-2023-07",
    "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
    "20230317",
    "CloudFront-TLS-1-2-2021",
    "KMS-FIPS-TLS-1-2-2021-08",
    "20251014",
    "20251113",
    "TLS12_20261021_1",
    "20251013",
    "20240416",
    "ELBSecurityPolicy-FS-1-2-2019-08",
    "20240501",
    "KMS-FIPS-TLS-1-2-2018-10",
    "20210816",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
    "ELBSecurityPolicy-TLS12-1-2-RFC9151-2024-01",
    "KMS-TLS-1-2-2023-06",
    "PQ-TLS-1-2-2024-10-08",
    "20260523",
    "AWS-CRT-SDK-TLSv1.2",
    "20241106",
    "PQ-TLS-1-2-2024-10-07",
    "20251115",
    "CloudFront-TLS-1-2-2017-no-pq",
    "CloudFront-TLS-1-2-2018",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04",
    "CloudFront-TLS-1-2-2018-Beta",
    "20250429",
    "ELBSecurityPolicy-TLS13-1-2-Ext0-RFC9151-FIPS-2023-07",
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "CloudFront-TLS-1-2-2018-Legacy",
    "ELBSecurityPolicy-TLS12-1-2-Ext0-RFC9151-2024-01",
    "20240603",
    "CloudFront-Upstream-TLS-1-2-2025",
    "CloudFront-Upstream-TLS-1-2",
    "20200207",
    "AWS-CRT-SDK-TLSv1.3",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    "20250211",
    "ELBSecurityPolicy-FS-1-1-2019-08",
    "AWS-CRT-SDK-TLSv1.1",
    "CloudFront-TLS-1-1-2016-no-pq",
    "ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04",
    "ELBSecurityPolicy-TLS-1-1-2017-01",
    "CloudFront-TLS-1-1-2016-Legacy",
    "ELBSecurityPolicy-TLS-1-1-Res-2017-01",
    "CloudFront-Upstream-TLS-1-1-2025",
    "CloudFront-Upstream-TLS-1-1",
    "TLS10_20261021_2",
    "ELBSecurityPolicy-FS-2018-06",
    "KMS-TLS-1-0-2021-08",
    "KMS-TLS-1-0-2018-10",
    "20251116",
    "AWS-CRT-SDK-TLSv1.0",
    "CloudFront-TLS-1-0-2016-no-pq",
    "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04",
    "20240417",
    "20190801",
    "TLS10_20261021_3",
    "TLS10_20261021_4",
    "TLS10_20261021_1",
    "ELBSecurityPolicy-2016-08",
    "CloudFront-TLS-1-0-2016-Legacy",
    "20170718",
    "20170210",
    "20160824",
    "20170816_healthcheck",
    "20210825",
    "20260520",
    "CloudFront-TLS-1-0-2014-sha256-no-pq",
    "CloudFront-TLS-1-0-2014-no-pq",
    "CloudFront-Upstream-TLS-1-0-2025",
    "20190214",
    "20170328",
    "CloudFront-Upstream-TLS-1-0",
    "ELBSecurityPolicy-TLS-1-0-2015-04",
    "CloudFront-TLS-1-0-2014-Legacy",
    "20190120",
    "20160411",
    "20170405",
    "20150306",
    "20141001",
    "20150214",
    "20150202",
];

/// Written by s2n with a policy's name.
const FORMAT_DEBUG_V1: c_int = 1;

/// s2n's own; only pointers to it are passed on.
#[repr(C)]
struct SecurityPolicy {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    // s2n has these for its own tools; they are linked in with the rest.
    fn s2n_find_security_policy_from_version(
        version: *const c_char,
        policy: *mut *const SecurityPolicy,
    ) -> c_int;
    fn s2n_security_policy_write_length(
        policy: *const SecurityPolicy,
        format: c_int,
        length: *mut u32,
    ) -> c_int;
    fn s2n_security_policy_write_bytes(
        policy: *const SecurityPolicy,
        format: c_int,
        buffer: *mut u8,
        buffer_bytes: u32,
        written: *mut u32,
    ) -> c_int;
}

/// A policy, and what to tell of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) summary: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Version {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// What a policy holds.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Policy {
    versions: BTreeSet<Version>,
    /// Up to TLS 1.2, by OpenSSL's names.
    ciphers: BTreeSet<String>,
    /// Of TLS 1.3.
    suites: BTreeSet<String>,
}

fn describe(name: &str) -> Option<String> {
    super::memory::init();
    let name = CString::new(name).ok()?;
    let mut policy = ptr::null();
    // SAFETY: the name ends with NUL, and s2n stores a pointer to its own table.
    let found = unsafe { s2n_find_security_policy_from_version(name.as_ptr(), &raw mut policy) };
    if found != 0 || policy.is_null() {
        return None;
    }
    let mut bytes = 0;
    // SAFETY: the policy is a live constant of s2n.
    if unsafe { s2n_security_policy_write_length(policy, FORMAT_DEBUG_V1, &raw mut bytes) } != 0 {
        return None;
    }
    let mut text = vec![0; usize::try_from(bytes).ok()?];
    // SAFETY: as above, and s2n writes at most the `bytes` bytes that `text` has.
    let outcome = unsafe {
        s2n_security_policy_write_bytes(
            policy,
            FORMAT_DEBUG_V1,
            text.as_mut_ptr(),
            bytes,
            &raw mut bytes,
        )
    };
    if outcome != 0 {
        return None;
    }
    text.truncate(usize::try_from(bytes).ok()?);
    String::from_utf8(text).ok()
}

/// Chooses the policy that gives what the settings ask for; `key` tells which ciphers our
/// certificate can serve at all, since those others of a policy are never offered.
pub(super) fn choose(settings: &Settings, key: Key) -> io::Result<Choice> {
    let lists = [&settings.protocols, &settings.ciphers, &settings.ciphersuites];
    let is_given = lists.iter().any(|list| !list.trim().is_empty());
    match (settings.cipher_policy.trim(), is_given) {
        ("", false) => Ok(Choice::of(DEFAULT, "the default")),
        ("", true) => from_lists(settings, key),
        (_, true) => Err(refused(
            "ssl-cipher-policy excludes tls-protocols, tls-ciphers and tls-ciphersuites: \
             give one or the others",
        )),
        (name, false) => match Policy::named(name) {
            Some(policy) if !name.starts_with("test_") && name != "null" && !policy.is_empty() => {
                Ok(Choice::of(name, "as configured"))
            }
            _ => Err(refused(&format!("ssl-cipher-policy {name}: s2n knows no such policy"))),
        },
    }
}

fn from_lists(settings: &Settings, key: Key) -> io::Result<Choice> {
    let versions = versions(&settings.protocols)?;
    let known: Vec<(&str, Policy)> =
        CANDIDATES.iter().filter_map(|name| Some((*name, Policy::named(name)?))).collect();
    let all = |part: fn(&Policy) -> &BTreeSet<String>| -> BTreeSet<String> {
        known.iter().flat_map(|(_, policy)| part(policy).iter().cloned()).collect()
    };
    let ciphers = Wish::parse("tls-ciphers", &settings.ciphers, &all(|policy| &policy.ciphers))?;
    let suites =
        Wish::parse("tls-ciphersuites", &settings.ciphersuites, &all(|policy| &policy.suites))?;
    let fits = |policy: &Policy| {
        let is_12 = versions.first() < Some(&Version::Tls13);
        let is_13 = versions.contains(&Version::Tls13);
        policy.versions == versions
            && (!is_12 || ciphers.admits(&key.usable(&policy.ciphers), key))
            && (!is_13 || suites.admits(&policy.suites, key))
    };
    match known.iter().find(|(_, policy)| fits(policy)) {
        Some((name, policy)) => Ok(Choice::of(name, &policy.list(key))),
        None => {
            let asked = [
                ("tls-protocols", &settings.protocols),
                ("tls-ciphers", &settings.ciphers),
                ("tls-ciphersuites", &settings.ciphersuites),
            ];
            let asked = asked.iter().filter(|(_, list)| !list.trim().is_empty());
            let asked: Vec<_> = asked.map(|(name, list)| format!("{name} \"{list}\"")).collect();
            Err(refused(&format!(
                "no s2n security policy gives exactly {}; ssl-cipher-policy takes one by name",
                asked.join(" with ")
            )))
        }
    }
}

impl Choice {
    fn of(name: &str, why: &str) -> Self {
        Self { name: name.to_owned(), summary: format!("s2n security policy {name} ({why})") }
    }
}

/// Which ciphers a certificate can serve; `Any` where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Any,
    Rsa,
    Ecdsa,
}

impl Key {
    fn usable(self, ciphers: &BTreeSet<String>) -> BTreeSet<String> {
        let is_usable = |cipher: &&String| match self {
            Self::Any => true,
            Self::Rsa => !cipher.contains("ECDSA"),
            Self::Ecdsa => cipher.contains("ECDSA"),
        };
        ciphers.iter().filter(is_usable).cloned().collect()
    }
}

impl Policy {
    fn named(name: &str) -> Option<Self> {
        let text = describe(name)?;
        let mut policy =
            Self { versions: BTreeSet::new(), ciphers: BTreeSet::new(), suites: BTreeSet::new() };
        let (mut minimum, mut section) = (None, "");
        for line in text.lines() {
            if let Some(version) = line.strip_prefix("min version: ") {
                minimum = Version::parse(version);
            } else if let Some(entry) = line.strip_prefix("- ") {
                if section == "cipher suites:" && entry.starts_with("TLS_") {
                    match openssl_name(entry) {
                        Some(cipher) => policy.ciphers.insert(cipher),
                        None => policy.suites.insert(entry.to_owned()),
                    };
                }
            } else {
                section = line;
            }
        }
        let minimum = minimum?;
        let is_old = |version: &Version| *version < Version::Tls13 && !policy.ciphers.is_empty();
        let is_new = |version: &Version| *version == Version::Tls13 && !policy.suites.is_empty();
        let offered = Version::ALL.into_iter().filter(|version| minimum <= *version);
        policy.versions = offered.filter(|one| is_old(one) || is_new(one)).collect();
        Some(policy)
    }

    fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    fn list(&self, key: Key) -> String {
        let mut all: Vec<String> = self.suites.iter().cloned().collect();
        all.extend(key.usable(&self.ciphers));
        all.join(":")
    }
}

impl Version {
    const ALL: [Self; 5] = [Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// Reads a version as s2n writes it.
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SSLv3" => Self::Ssl3,
            "TLS1.0" => Self::Tls10,
            "TLS1.1" => Self::Tls11,
            "TLS1.2" => Self::Tls12,
            "TLS1.3" => Self::Tls13,
            _ => return None,
        })
    }
}

/// Reads `tls-protocols`; none means 1.2 and 1.3, as in Redis.
fn versions(text: &str) -> io::Result<BTreeSet<Version>> {
    let mut versions = BTreeSet::new();
    for word in text.split_whitespace() {
        versions.insert(match word.to_ascii_lowercase().as_str() {
            "tlsv1" => Version::Tls10,
            "tlsv1.1" => Version::Tls11,
            "tlsv1.2" => Version::Tls12,
            "tlsv1.3" => Version::Tls13,
            _ => {
                return Err(refused(
                    "Invalid tls-protocols specified. \
                     Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.",
                ));
            }
        });
    }
    if versions.is_empty() {
        versions.extend([Version::Tls12, Version::Tls13]);
    }
    Ok(versions)
}

/// What a list of ciphers asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Wish {
    Anything,
    /// Names alone: these and no others.
    Exactly(BTreeSet<String>),
    /// Keywords: nothing beyond these.
    Within(BTreeSet<String>),
}

impl Wish {
    /// Reads a list in OpenSSL's grammar, over the ciphers that s2n knows.
    fn parse(directive: &str, text: &str, known: &BTreeSet<String>) -> io::Result<Self> {
        let is_between = |c: char| c == ':' || c == ',' || c.is_whitespace();
        let words: Vec<&str> = text.split(is_between).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Ok(Self::Anything);
        }
        let (mut chosen, mut killed) = (BTreeSet::new(), BTreeSet::new());
        let mut is_exact = true;
        for word in words {
            // An order of the list; s2n has its own.
            if word == "@STRENGTH" {
                is_exact = false;
                continue;
            }
            let (sign, name) = match word.split_at(1) {
                (sign @ ("!" | "-" | "+"), name) => (sign, name),
                _ => ("", word),
            };
            is_exact &= sign.is_empty() && known.contains(name);
            let matching = matching(name, known).ok_or_else(|| {
                refused(&format!("{directive}: s2n knows no cipher or keyword \"{name}\""))
            })?;
            match sign {
                "" => chosen.extend(matching.into_iter().filter(|one| !killed.contains(one))),
                "+" => {}
                _ => {
                    chosen.retain(|one| !matching.contains(one));
                    if sign == "!" {
                        killed.extend(matching);
                    }
                }
            }
        }
        Ok(if is_exact { Self::Exactly(chosen) } else { Self::Within(chosen) })
    }

    fn admits(&self, offered: &BTreeSet<String>, key: Key) -> bool {
        match self {
            Self::Anything => true,
            Self::Exactly(names) => match names.iter().any(|name| name.starts_with("TLS_")) {
                true => names == offered,
                false => key.usable(names) == *offered && !offered.is_empty(),
            },
            Self::Within(names) => offered.is_subset(names) && !offered.is_empty(),
        }
    }
}

/// Returns what a name, a keyword, or keywords joined by `+` stand for.
fn matching(word: &str, known: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    if known.contains(word) {
        return Some(BTreeSet::from([word.to_owned()]));
    }
    let tests = word.split('+').map(keyword).collect::<Option<Vec<_>>>()?;
    Some(known.iter().filter(|name| tests.iter().all(|test| test(name))).cloned().collect())
}

/// The keywords of OpenSSL's cipher lists, for the ciphers that s2n has.
fn keyword(word: &str) -> Option<fn(&str) -> bool> {
    Some(match word {
        "ALL" | "DEFAULT" => |_| true,
        "HIGH" => |name| !name.contains("RC4") && !name.contains("DES"),
        "MEDIUM" => |name| name.contains("RC4") || name.contains("DES"),
        "ECDHE" | "EECDH" | "kECDHE" | "kEECDH" => |name| name.starts_with("ECDHE-"),
        "DHE" | "EDH" | "kDHE" | "kEDH" => |name| name.starts_with("DHE-"),
        "kRSA" => |name| !name.contains("DHE-"),
        "RSA" | "aRSA" => |name| !name.contains("ECDSA"),
        "ECDSA" | "aECDSA" => |name| name.contains("ECDSA"),
        "AES" => |name| name.contains("AES"),
        "AES128" => |name| name.contains("AES128"),
        "AES256" => |name| name.contains("AES256"),
        "AESGCM" => |name| name.contains("GCM"),
        "CHACHA20" => |name| name.contains("CHACHA20"),
        "3DES" => |name| name.contains("DES-CBC3"),
        "RC4" => |name| name.contains("RC4"),
        "MD5" => |name| name.ends_with("-MD5"),
        "SHA" | "SHA1" => |name| name.ends_with("-SHA"),
        // Of a MAC; with GCM the hash serves key derivation alone.
        "SHA256" => |name| name.ends_with("-SHA256") && !name.contains("GCM"),
        "SHA384" => |name| name.ends_with("-SHA384") && !name.contains("GCM"),
        "TLSv1.2" => |name| !name.ends_with("-SHA") && !name.ends_with("-MD5"),
        "TLSv1" | "TLSv1.0" | "SSLv3" => |name| name.ends_with("-SHA") || name.ends_with("-MD5"),
        "aNULL" | "eNULL" | "NULL" | "ADH" | "AECDH" | "EXP" | "EXPORT" | "EXPORT40"
        | "EXPORT56" | "LOW" | "DES" | "RC2" | "IDEA" | "SEED" | "CAMELLIA" | "CAMELLIA128"
        | "CAMELLIA256" | "ARIA" | "ARIA128" | "ARIA256" | "ARIAGCM" | "AESCCM" | "AESCCM8"
        | "PSK" | "kPSK" | "aPSK" | "SRP" | "DSS" | "aDSS" | "GOST" | "SSLv2" => |_| false,
        _ => return None,
    })
}

/// Translates an IANA name; those of TLS 1.3 have no other.
fn openssl_name(name: &str) -> Option<String> {
    let (exchange, cipher) = name.strip_prefix("TLS_")?.split_once("_WITH_")?;
    let exchange = match exchange {
        "RSA" => String::new(),
        exchange => format!("{}-", exchange.replace('_', "-")),
    };
    let cipher = match cipher {
        "3DES_EDE_CBC_SHA" => "DES-CBC3-SHA".to_owned(),
        "RC4_128_SHA" => "RC4-SHA".to_owned(),
        "RC4_128_MD5" => "RC4-MD5".to_owned(),
        "CHACHA20_POLY1305_SHA256" => "CHACHA20-POLY1305".to_owned(),
        cipher => cipher.replace("AES_", "AES").replace("_CBC", "").replace('_', "-"),
    };
    Some(exchange + &cipher)
}

#[cfg(test)]
mod tests {
    use super::{CANDIDATES, DEFAULT, Key, Policy, choose};
    use crate::ssl::Settings;

    fn chosen(protocols: &str, ciphers: &str, suites: &str, key: Key) -> Result<String, String> {
        let settings = Settings {
            protocols: protocols.to_owned(),
            ciphers: ciphers.to_owned(),
            ciphersuites: suites.to_owned(),
            ..Settings::default()
        };
        choose(&settings, key).map(|choice| choice.name).map_err(|error| error.to_string())
    }

    #[test]
    fn every_candidate_is_known_to_s2n_and_offers_something() {
        for name in CANDIDATES {
            let policy = Policy::named(name).unwrap_or_else(|| panic!("{name}"));
            assert!(!policy.is_empty(), "{name}");
        }
    }

    #[test]
    fn protocols_choose_a_policy_of_just_these() {
        let any = |protocols: &str| chosen(protocols, "", "", Key::Rsa);
        assert_eq!(any("TLSv1.2 TLSv1.3").unwrap(), DEFAULT);
        assert_eq!(any("tlsv1.3").unwrap(), "20200207");
        assert_eq!(any("TLSv1.2").unwrap(), "20240416");
        let all = any("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3").unwrap();
        assert_eq!(Policy::named(&all).unwrap().versions.len(), 4);
        assert!(any("TLSv1 TLSv1.3").is_err(), "a gap");
        assert!(any("SSLv3").unwrap_err().starts_with("Invalid tls-protocols"));
    }

    #[test]
    fn ciphers_by_name_are_offered_exactly_or_refused() {
        let gcm = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
        let name = chosen("TLSv1.2", gcm, "", Key::Rsa).unwrap();
        let policy = Policy::named(&name).unwrap();
        let offered: Vec<String> = Key::Rsa.usable(&policy.ciphers).into_iter().collect();
        assert_eq!(offered.join(":"), gcm);
        let one = chosen("TLSv1.2", "AES256-SHA256", "", Key::Rsa).unwrap_err();
        assert!(one.contains("no s2n security policy gives exactly"), "{one}");
        let unknown = chosen("", "ECDHE-RSA-ROT13", "", Key::Rsa).unwrap_err();
        assert!(unknown.contains("ECDHE-RSA-ROT13"), "{unknown}");
        let suite = "TLS_AES_256_GCM_SHA384";
        let name = chosen("TLSv1.3", "", suite, Key::Rsa).unwrap();
        assert_eq!(Policy::named(&name).unwrap().list(Key::Rsa), suite);
        assert!(chosen("TLSv1.3", "", "TLS_CHACHA20_POLY1305_SHA256", Key::Rsa).is_err());
    }

    #[test]
    fn keywords_are_a_bound() {
        assert_eq!(chosen("", "DEFAULT:!MEDIUM", "", Key::Rsa).unwrap(), DEFAULT);
        let name = chosen("", "HIGH:!aNULL:!SHA256:!SHA384:!SHA1", "", Key::Rsa).unwrap();
        let policy = Policy::named(&name).unwrap();
        for cipher in Key::Rsa.usable(&policy.ciphers) {
            assert!(cipher.contains("GCM") || cipher.contains("CHACHA"), "{name}: {cipher}");
        }
        assert!(chosen("TLSv1.2", "PSK", "", Key::Rsa).is_err(), "nothing is left");
    }

    #[test]
    fn a_policy_by_name_excludes_lists() {
        let mut settings = Settings { cipher_policy: "20240501".to_owned(), ..Settings::default() };
        assert_eq!(choose(&settings, Key::Any).unwrap().name, "20240501");
        settings.ciphers = "HIGH".to_owned();
        assert!(choose(&settings, Key::Any).is_err());
        for name in ["20240503x", "test_all", "null", ""] {
            let settings = Settings { cipher_policy: name.to_owned(), ..Settings::default() };
            assert_eq!(choose(&settings, Key::Any).is_ok(), name.is_empty(), "{name}");
        }
    }
}
