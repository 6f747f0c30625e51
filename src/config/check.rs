//! Pure: what texts must satisfy beyond being texts.

use super::{entry::no_nul, field::Reason};

/// One more than the longest host name.
const HOST_NAME_MAX: usize = 256;
/// The variables of a title, and whether they may come out empty.
const TITLE_VARIABLES: [(&[u8], bool); 7] = [
    (b"title", true),
    (b"listen-addr", false),
    (b"server-mode", true),
    (b"port", false),
    (b"tls-port", false),
    (b"unixsocket", true),
    (b"config-file", false),
];

pub(super) fn db_filename(value: &[u8]) -> Result<(), Reason> {
    base_name(value, "dbfilename can't be a path, just a filename")
}

pub(super) fn aof_filename(value: &[u8]) -> Result<(), Reason> {
    if value.is_empty() {
        return Err("appendfilename can't be empty".into());
    }
    base_name(value, "appendfilename can't be a path, just a filename")
}

pub(super) fn aof_dirname(value: &[u8]) -> Result<(), Reason> {
    if value.is_empty() {
        return Err("appenddirname can't be empty".into());
    }
    base_name(value, "appenddirname can't be a path, just a dirname")
}

pub(super) fn hostname(value: &[u8]) -> Result<(), Reason> {
    if HOST_NAME_MAX <= value.len() {
        return Err("Hostnames must be less than 256 characters".into());
    }
    if !value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte)) {
        return Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into());
    }
    Ok(())
}

/// What may stand in a line of the cluster's file. Redis lets blanks, commas, quotes and `=`
/// pass, which tear that line.
pub(super) fn node_name(value: &[u8]) -> Result<(), Reason> {
    let tears =
        |byte: &u8| byte.is_ascii_control() || b"!#$%&()*+:;<>?@[]^{|}~ ,=\"'\\".contains(byte);
    if value.iter().any(tears) {
        return Err("Announced human node name contained invalid character".into());
    }
    Ok(())
}

/// A template names known variables in braces, `{{` stands for one brace, and the title must not
/// come out empty.
pub(super) fn proc_title(value: &[u8]) -> Result<(), Reason> {
    no_nul(value)?;
    if is_title_template(value) {
        return Ok(());
    }
    Err("template format is invalid or contains unknown variables".into())
}

fn is_title_template(template: &[u8]) -> bool {
    let mut rest = template;
    let mut holds_text = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'{' {
            holds_text |= byte != b' ';
            continue;
        }
        if let Some(after) = rest.strip_prefix(b"{") {
            rest = after;
            holds_text = true;
            continue;
        }
        let Some(end) = rest.iter().position(|&byte| byte == b'}') else { return false };
        let name = &rest[..end];
        let variable = TITLE_VARIABLES.iter().find(|(known, _)| *known == name);
        let Some((_, may_be_empty)) = variable else { return false };
        holds_text |= !may_be_empty;
        rest = &rest[end + 1..];
    }
    holds_text
}

fn base_name(value: &[u8], reason: &'static str) -> Result<(), Reason> {
    no_nul(value)?;
    if value.contains(&b'/') || value.contains(&b'\\') {
        return Err(reason.into());
    }
    Ok(())
}
