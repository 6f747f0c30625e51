//! Tool: what the safe bindings of s2n do not reach: keys for tickets of a configuration in
//! use, and the setting that lets one call return many records.

#![expect(unsafe_code, reason = "calls s2n by its C interface")]

use std::{io, ptr};

use openssl::rand::rand_bytes;
use s2n_tls::{
    config::{Builder, Config},
    connection::Connection as Tls,
    enums::Mode,
    error::Error as S2nError,
};
use s2n_tls_sys as sys;

use super::secret::Secret;

const NAME_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
/// By s2n's clock.
const FROM_NOW_ON: u64 = 0;

/// Adds a random key, which encrypts new tickets from now on. Keys whose time is
/// over are dropped by s2n as others are added.
///
/// The configuration may be in use by live connections: s2n reads its keys during
/// handshakes, which are stepped by the thread that calls this.
pub(super) fn add_key(config: &Config) -> io::Result<()> {
    let (mut name, mut key) = ([0; NAME_BYTES], Secret::new(vec![0; KEY_BYTES]));
    rand_bytes(&mut name)?;
    rand_bytes(key.bytes())?;

    // A connection is the way to a configuration's pointer.
    let mut tls = Tls::new(Mode::Server);
    tls.set_config(config.clone())?;
    let mut raw = ptr::null_mut();
    // SAFETY: the connection is live, and its configuration is the one just set.
    let outcome = unsafe { sys::s2n_connection_get_config(tls.unstable_as_ptr(), &raw mut raw) };
    if outcome != 0 || raw.is_null() {
        return Err(io::Error::other("s2n: a connection has lost its configuration"));
    }
    let bytes = |count: usize| u32::try_from(count).expect("constants are small");
    // SAFETY: `raw` lives as long as `config`; name and key are readable for the lengths
    // given, and s2n copies them (it takes the key as mutable without writing to it).
    let outcome = unsafe {
        sys::s2n_config_add_ticket_crypto_key(
            raw,
            name.as_ptr(),
            bytes(NAME_BYTES),
            key.bytes().as_mut_ptr(),
            bytes(KEY_BYTES),
            FROM_NOW_ON,
        )
    };
    if outcome != 0 {
        return Err(io::Error::other("s2n: a key for session tickets was refused"));
    }
    Ok(())
}

/// Lets one read return what many records hold.
pub(super) fn receive_many_records(builder: &mut Builder) -> Result<(), S2nError> {
    // SAFETY: the builder's configuration is live, and nobody else has it yet.
    let outcome = unsafe { sys::s2n_config_set_recv_multi_record(builder.unstable_as_ptr(), true) };
    assert_eq!(outcome, 0, "s2n only stores the flag");
    Ok(())
}
