//! Tool: the conversations of the plain tests, over TLS.

use std::path::Path;

use conversation::{Program, hold_all, reference};
use tests_ssl::Certificate;

use crate::ours;

fn hold(server: &Program, folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder);
    println!("{} conversations", hold_all(&folder, server));
}

#[test]
fn our_server_says_what_is_expected_where_every_port_is_tls() {
    let certificate = Certificate::new("every-port").unwrap();
    hold(&certificate.over_ssl(ours("our server, enable-ssl yes")), "data");
}

#[test]
fn our_server_says_what_is_expected_on_a_tls_port() {
    let certificate = Certificate::new("tls-port").unwrap();
    hold(&certificate.over_tls_port(ours("our server, tls-port")), "data");
}

#[test]
fn an_ssl_build_without_ssl_says_what_is_expected() {
    hold(&ours("our server built with SSL, over TCP"), "data");
}

/// Shows that what we hear over TLS is no fault of our client. Whom Redis refuses, it refuses
/// before the handshake, so not all of the conversations are held.
#[test]
fn the_reference_says_over_tls_what_is_expected() {
    let Some(reference) = reference() else { return };
    let certificate = Certificate::new("reference").unwrap();
    let server = certificate.over_tls_port(reference);
    match conversation::Process::start(&server, &[]) {
        Ok(_) => {
            hold(&server, "data/string");
            hold(&server, "data/protocol");
        }
        Err(error) => println!("skipped: the reference speaks no TLS: {error}"),
    }
}
