//! Flow: CONFIG SET ssl-renew-certificate: other certificates for new connections.

use base::split;
use net::ssl::Named;
use sys::log;

use crate::{
    config::{FilePath, RENEW_CERTIFICATE},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
        output,
    },
};

/// Takes two paths, or one argument that holds both, in either order: a key and a
/// certificate tell themselves apart. It stands alone in its command.
pub fn renew(server: &mut Server, call: &mut Call<'_>, words: &[&[u8]]) -> CommandResult {
    let is_action = |word: &[u8]| word.eq_ignore_ascii_case(RENEW_CERTIFICATE.as_bytes());
    let paths: Vec<Named> = match words {
        [name, both] if is_action(name) => {
            let parts = split::split_args(both).map_err(|_| ReplyError::Syntax)?;
            parts.iter().map(|part| named(part)).collect()
        }
        [name, key, certificate] if is_action(name) => vec![named(key), named(certificate)],
        _ => Vec::new(),
    };
    let [first, second] = &paths[..] else {
        return Err(ReplyError::text(
            "ERR CONFIG SET ssl-renew-certificate takes a private key file and a certificate \
             file, and no other parameter beside it",
        ));
    };
    let now_s = server.clock.now_s();
    let renewal = server.ssl.renew(first, second, now_s).map_err(|error| {
        log::warning!("Renewing the TLS certificate failed: {error}");
        let text = format!(
            "ERR CONFIG SET failed (possibly related to argument '{RENEW_CERTIFICATE}') - {error}"
        );
        ReplyError::Bytes(text.into_bytes())
    })?;
    let settings = server.ssl.settings();
    log::notice!(
        "Renewed the TLS certificate: {} is in use now.",
        settings.certificate_file.shown()
    );
    server.config.ssl.cert_file = FilePath::new(settings.certificate_file.shown().as_bytes());
    server.config.ssl.key_file = FilePath::new(settings.private_key_file.shown().as_bytes());
    if let Some(oldest) = renewal.closes_up_to {
        close_older(server, call, oldest);
    }
    call.reply.ok();
    Ok(())
}

/// Relative paths count from where the server works as it reads them.
fn named(typed: &[u8]) -> Named {
    Named::new(String::from_utf8_lossy(typed), FilePath::new(typed).as_path())
}

/// At most two generations live: who is older must connect again.
fn close_older(server: &mut Server, call: &Call<'_>, oldest: u64) {
    let is_older = |generation: Option<u64>| generation.is_some_and(|of| of <= oldest);
    let clients: Vec<_> = server
        .clients
        .iter()
        .filter(|(_, client)| {
            let wire = client.wire.as_ref();
            is_older(wire.and_then(|(_, connection)| connection.certificate_generation()))
        })
        .map(|(id, _)| id)
        .collect();
    log::notice!("Closing {} clients that use a certificate replaced twice.", clients.len());
    for id in clients {
        if id == call.client {
            server.clients.close_after_reply(id);
            continue;
        }
        // What it was answered in this very turn is its own.
        output::send(server, id);
        if let Some((_, connection)) = server.clients.find(id).and_then(|c| c.wire.as_mut()) {
            // At once, so that INFO in the same batch counts it no more.
            connection.close();
        }
        server.clients.close(id);
    }
}
