//! Tool: tests of what `make certs` leaves.

use std::{os::unix::fs::PermissionsExt, process};

use openssl::{
    stack::Stack,
    x509::{X509StoreContext, store::X509StoreBuilder},
};

use super::*;

/// v3, as the field counts.
const VERSION_3_FIELD: i32 = 2;

/// A folder that goes with its test.
struct Scratch(Folder);

impl Scratch {
    fn new(name: &str, algorithm: Algorithm) -> Self {
        let path = env::temp_dir().join(format!("make-certificates-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(Folder { path, algorithm })
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path.join(name)).unwrap()
    }

    fn certificate(&self, name: &str) -> X509 {
        X509::from_pem(&self.read(name)).unwrap()
    }

    fn verifies(&self, name: &str) -> bool {
        let mut trust = X509StoreBuilder::new().unwrap();
        trust.add_cert(self.certificate("ca.crt")).unwrap();
        let mut context = X509StoreContext::new().unwrap();
        let (certificate, chain) = (self.certificate(name), Stack::new().unwrap());
        context.init(&trust.build(), &certificate, &chain, |c| c.verify_cert()).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.path);
    }
}

#[test]
fn certificates_are_v3_and_reach_their_ca() {
    for algorithm in [Algorithm::P256, Algorithm::Rsa2048] {
        let scratch = Scratch::new("chain", algorithm);
        scratch.0.make().unwrap();
        for name in ["redis.crt", "client.crt"] {
            assert!(scratch.verifies(name), "{name} with {algorithm:?}");
            assert_eq!(scratch.certificate(name).version(), VERSION_3_FIELD);
        }
        let server = scratch.certificate("redis.crt");
        let names = server.subject_alt_names().unwrap();
        assert!(names.iter().any(|name| name.dnsname() == Some("localhost")));
        assert!(names.iter().any(|name| name.ipaddress() == Some(&[127, 0, 0, 1][..])));
        assert!(names.iter().any(|name| name.ipaddress().is_some_and(|ip| ip.len() == 16)));
    }
}

#[test]
fn keys_are_for_their_owner_alone_and_fit() {
    let scratch = Scratch::new("keys", Algorithm::P256);
    scratch.0.make().unwrap();
    for name in ["ca", "redis", "client"] {
        let path = scratch.0.path.join(format!("{name}.key"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, SECRET_MODE);
        let key = PKey::private_key_from_pem(&fs::read(&path).unwrap()).unwrap();
        let certificate = scratch.certificate(&format!("{name}.crt"));
        assert!(certificate.public_key().unwrap().public_eq(&key));
    }
}

#[test]
fn nothing_is_written_over() {
    let scratch = Scratch::new("kept", Algorithm::P256);
    scratch.0.make().unwrap();
    let names = ["ca.crt", "ca.key", "redis.crt", "redis.key", "client.crt", "dhparams.pem"];
    let before: Vec<_> = names.iter().map(|name| scratch.read(name)).collect();
    assert_eq!(scratch.0.make().unwrap(), Made::Nothing);
    let after: Vec<_> = names.iter().map(|name| scratch.read(name)).collect();
    assert_eq!(before, after);
}

#[test]
fn what_was_removed_is_signed_again_by_the_same_ca() {
    let scratch = Scratch::new("again", Algorithm::P256);
    scratch.0.make().unwrap();
    let ca = scratch.read("ca.crt");
    for name in ["redis.crt", "redis.key"] {
        fs::remove_file(scratch.0.path.join(name)).unwrap();
    }
    scratch.0.make().unwrap();
    assert_eq!(ca, scratch.read("ca.crt"));
    assert!(scratch.verifies("redis.crt"));
}

#[test]
fn half_a_pair_is_refused_by_name() {
    let scratch = Scratch::new("half", Algorithm::P256);
    scratch.0.make().unwrap();
    fs::remove_file(scratch.0.path.join("redis.crt")).unwrap();
    let Failure(reason) = scratch.0.make().unwrap_err();
    assert!(reason.contains("redis.key is here"), "{reason}");
    fs::remove_file(scratch.0.path.join("redis.key")).unwrap();
    fs::remove_file(scratch.0.path.join("ca.key")).unwrap();
    let Failure(reason) = scratch.0.make().unwrap_err();
    assert!(reason.contains("ca.key"), "{reason}");
}

#[test]
fn dh_parameters_are_well_formed() {
    let scratch = Scratch::new("dh", Algorithm::P256);
    scratch.0.make().unwrap();
    let params = Dh::params_from_pem(&scratch.read("dhparams.pem")).unwrap();
    assert_eq!(params.prime_p().num_bits(), 2048);
}
