//! Room: who may come in, and what is kept from whom. First the fields, then a line for each.

use crate::config::{
    Change,
    choice::{AclPubsubDefault, ProtectedAction, SanitizeDumpPayload},
    entry::{LONG_MAX, Parameter, any_text, choice, field, integer, secret},
};

/// Who may come in, and what is kept from whom.
#[derive(Clone, Default)]
pub struct Security {
    /// `requirepass`: the password of the default user.
    pub requirepass: Vec<u8>,
    /// `aclfile`: the file that users are read from, and saved to by ACL SAVE.
    pub aclfile: Vec<u8>,
    /// `acllog-max-len`: how many refusals ACL LOG keeps.
    pub acllog_max_len: usize,
    /// `acl-pubsub-default`: the channels that a fresh user may use: `allchannels` or
    /// `resetchannels` (none).
    pub acl_pubsub_default: AclPubsubDefault,
    /// `enable-protected-configs`: who may set the parameters that decide where files go (`dir`,
    /// `dbfilename`): `no` (nobody), `yes`, or `local` (connections from this machine).
    pub enable_protected_configs: ProtectedAction,
    /// `enable-debug-command`: who may use DEBUG, with the same words.
    pub enable_debug_command: ProtectedAction,
    /// `enable-module-command`: who may use MODULE, with the same words.
    pub enable_module_command: ProtectedAction,
    /// `sanitize-dump-payload`: which foreign payloads are examined in depth before they are used:
    /// `no`, `yes` (files and replication too) or `clients` (what clients restore).
    pub sanitize_dump_payload: SanitizeDumpPayload,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("requirepass", "", secret(&field!(security.requirepass)))
        .sensitive()
        .change(Change::Password),
    Parameter::new("aclfile", "", any_text(&field!(security.aclfile))).immutable(),
    Parameter::new("acllog-max-len", "128", integer(0, LONG_MAX, &field!(security.acllog_max_len))),
    Parameter::new(
        "acl-pubsub-default",
        "resetchannels",
        choice(&field!(security.acl_pubsub_default)),
    ),
    Parameter::new(
        "enable-protected-configs",
        "no",
        choice(&field!(security.enable_protected_configs)),
    )
    .immutable(),
    Parameter::new("enable-debug-command", "no", choice(&field!(security.enable_debug_command)))
        .immutable(),
    Parameter::new("enable-module-command", "no", choice(&field!(security.enable_module_command)))
        .immutable(),
    Parameter::new("sanitize-dump-payload", "no", choice(&field!(security.sanitize_dump_payload))),
];
