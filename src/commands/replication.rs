//! Command: SYNC, PSYNC, REPLCONF, ROLE, WAIT.

use base::{number::parse_i64, split::split_args};
use sys::log;

use crate::{
    client::{
        Client,
        describe::{replica_address, replica_name},
    },
    commands::timeout,
    error::ReplyError,
    replication::replica::{Filter, State},
    server::{
        Server,
        call::{Call, CommandResult},
        psync::{self, Past},
        reap, replicas, waits,
    },
};

/// A replica's address is shorter than this.
const ADDRESS_BYTES_MAX: usize = 256;
/// So is the name of its version.
const VERSION_BYTES_MAX: usize = 64;

/// SYNC
pub(super) fn sync(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.session.is_replica || call.session.is_monitor {
        return Ok(());
    }
    psync::check(server, call)?;
    log_request(server, call);
    psync::sync(server, call, None)
}

/// PSYNC replicationid offset [FAILOVER]
pub(super) fn psync(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.session.is_replica || call.session.is_monitor {
        return Ok(());
    }
    let id = call.arg(1);
    if call.argv.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"failover")) {
        log::notice!("Failover request received for replid {}.", String::from_utf8_lossy(id));
        return Err(ReplyError::text("ERR PSYNC FAILOVER can't be sent to a master."));
    }
    psync::check(server, call)?;
    log_request(server, call);
    let Some(from) = parse_i64(call.arg(2)) else {
        log::warning!(
            "Replica {} asks for synchronization but with a wrong offset",
            name(server, call)
        );
        return Err(ReplyError::NotInteger);
    };
    psync::sync(server, call, Some(Past { id, from }))
}

fn log_request(server: &Server, call: &Call<'_>) {
    log::notice!("Replica {} asks for synchronization", name(server, call));
}

fn name(server: &Server, call: &Call<'_>) -> String {
    server.clients.peek(call.client).map_or_else(String::new, replica_name)
}

/// REPLCONF option value [option value …]
pub(super) fn replconf(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.argv.count().is_multiple_of(2) {
        return Err(ReplyError::Syntax);
    }
    for at in (1..call.argv.count()).step_by(2) {
        let (option, value) = (call.arg(at), call.arg(at + 1));
        let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        // These two have no answer, and say nothing else.
        if is("ack") {
            acknowledge(server, call, at);
            return Ok(());
        }
        if is("getack") {
            // Asked by a primary of its replica, which we are not.
            return Ok(());
        }
        let client = server.clients.find_even_closing(call.client).expect("it calls");
        tell(client, option, value)?;
    }
    call.reply.ok();
    Ok(())
}

/// Remembers one thing that a replica tells of itself.
fn tell(client: &mut Client, option: &[u8], value: &[u8]) -> CommandResult {
    let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
    let replica = client.replica.get_or_insert_default();
    if is("listening-port") {
        replica.listening_port = Some(parse_i64(value).ok_or(ReplyError::NotInteger)?);
    } else if is("ip-address") {
        if ADDRESS_BYTES_MAX <= value.len() {
            let text = format!(
                "ERR REPLCONF ip-address provided by replica instance is too long: {} bytes",
                value.len()
            );
            return Err(ReplyError::Bytes(text.into_bytes()));
        }
        replica.address = (!value.is_empty()).then(|| value.into());
    } else if is("capa") {
        // What a newer replica can do besides does not concern us.
        replica.knows_eof |= value.eq_ignore_ascii_case(b"eof");
        replica.knows_psync2 |= value.eq_ignore_ascii_case(b"psync2");
    } else if is("version") {
        let version = &value[..value.len().min(VERSION_BYTES_MAX)];
        log::verbose!("A replica runs version {}", String::from_utf8_lossy(version));
        replica.version = Some(version.into());
    } else if is("rdb-only") {
        replica.wants_snapshot_only = match parse_i64(value) {
            Some(0) => false,
            Some(1) => true,
            Some(_) => {
                return Err(ReplyError::text(
                    "ERR value is out of range, value must between 0 and 1",
                ));
            }
            None => return Err(ReplyError::NotInteger),
        };
    } else if is("rdb-filter-only") {
        replica.filter = parse_filter(value)?;
    } else {
        return Err(ReplyError::quoting("ERR Unrecognized REPLCONF option: ", option, ""));
    }
    Ok(())
}

/// Names what a snapshot shall have; the rest is left out.
fn parse_filter(value: &[u8]) -> Result<Filter, ReplyError> {
    let words =
        split_args(value).map_err(|_| ReplyError::text("ERR Missing rdb-filter-only values"))?;
    let mut filter = Filter { excludes_data: true, excludes_functions: true };
    for word in words {
        if !word.eq_ignore_ascii_case(b"functions") {
            return Err(ReplyError::quoting("ERR Unsupported rdb-filter-only option: ", &word, ""));
        }
        filter.excludes_functions = false;
    }
    Ok(filter)
}

/// A replica says how far it is. What makes no sense is passed over.
fn acknowledge(server: &mut Server, call: &Call<'_>, at: usize) {
    let now_s = server.clock.now_s();
    let Some(client) = server.clients.find(call.client) else { return };
    let Some(link) = client.link_mut() else { return };
    let place = |at: usize| {
        let number = call.argv.get(at).and_then(parse_i64);
        number.map(|number| u64::try_from(number).unwrap_or(0))
    };
    let Some(acknowledged) = place(at + 1) else { return };
    link.acknowledged = link.acknowledged.max(acknowledged);
    if call.argv.get(at + 2).is_some_and(|word| word.eq_ignore_ascii_case(b"fack")) {
        let Some(on_disk) = place(at + 3) else { return };
        link.acknowledged_on_disk = link.acknowledged_on_disk.max(on_disk);
    }
    link.acknowledged_s = now_s;
    if server.children.running().is_some() {
        // The child that fed it may have ended, and it be online.
        reap::reap(server);
    }
    replicas::acknowledged(server, call.client);
}

/// ROLE
pub(super) fn role(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let offset = i64::try_from(server.history_bytes()).unwrap_or(i64::MAX);
    call.reply.array(3);
    call.reply.bulk(b"master");
    call.reply.integer(offset);
    let online: Vec<_> =
        replicas::links(server).filter(|(_, _, link)| link.state == State::Online).collect();
    call.reply.array(online.len());
    for (client, _, link) in online {
        let (host, port) = replica_address(client);
        call.reply.array(3);
        call.reply.bulk(host.as_bytes());
        call.reply.bulk_integer(port);
        call.reply.bulk_integer(i64::try_from(link.acknowledged).unwrap_or(i64::MAX));
    }
    Ok(())
}

/// WAIT numreplicas timeout: the timeout in milliseconds, 0 for ever.
pub(super) fn wait(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let wanted = parse_i64(call.arg(1)).ok_or(ReplyError::NotInteger)?;
    let until_ms = timeout::parse_milliseconds(call.arg(2), server.keyspace.now_ms)?;
    let wanted = usize::try_from(wanted).unwrap_or(0);
    waits::wait(server, call, wanted, until_ms);
    Ok(())
}
