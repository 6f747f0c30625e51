//! Flow: INFO: a function a section, which returns fields; here they become text.
//!
//! Fields whose machinery is not there yet and which tools expect are shown as Redis shows
//! them where nothing has happened; the others are left out.

mod counters;
pub mod memory;
mod persistence;
mod process;
mod replication;

use crate::server::Server;

/// A line of INFO.
pub type Field = (String, String);

/// A part of INFO.
pub struct Section {
    /// As it is asked for, in lower case.
    pub name: &'static str,
    title: &'static str,
    shown: Shown,
    fields: fn(&Server) -> Vec<Field>,
}

/// When a section is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    /// To who asks for it by name.
    Named,
    /// Also to who asks for all.
    All,
    /// Also to who asks for nothing.
    Default,
}

const fn section(
    name: &'static str,
    title: &'static str,
    fields: fn(&Server) -> Vec<Field>,
) -> Section {
    Section { name, title, shown: Shown::Default, fields }
}

/// In the order in which they are shown.
static SECTIONS: [Section; 15] = [
    section("server", "Server", process::server),
    section("clients", "Clients", process::clients),
    section("memory", "Memory", memory::memory),
    section("persistence", "Persistence", persistence::persistence),
    section("stats", "Stats", counters::stats),
    section("replication", "Replication", replication::replication),
    section("cpu", "CPU", process::cpu),
    section("ssl", "SSL", process::ssl),
    section("modules", "Modules", |_| Vec::new()),
    Section { shown: Shown::All, ..section("commandstats", "Commandstats", counters::commands) },
    section("errorstats", "Errorstats", counters::errors),
    Section { shown: Shown::All, ..section("latencystats", "Latencystats", counters::latencies) },
    section("cluster", "Cluster", process::cluster),
    section("keyspace", "Keyspace", counters::keyspace),
    Section { shown: Shown::Named, ..section("debug", "Debug", counters::debug) },
];

/// Writes the sections that `wanted` names, in any case; none names all of the default ones.
pub fn info(server: &Server, wanted: &[&[u8]]) -> Vec<u8> {
    let names = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let has = |name: &str| wanted.iter().any(|word| names(word, name));
    // Modules have a second name, under which their own sections are not meant.
    let has_section = |name: &str| has(name) || name == "modules" && has("module_list");
    let threshold = if has("all") || has("everything") { Shown::All } else { Shown::Default };
    let shows_more = threshold == Shown::All || wanted.is_empty() || has("default");
    let mut text = Vec::new();
    for section in &SECTIONS {
        if !(has_section(section.name) || shows_more && threshold <= section.shown) {
            continue;
        }
        if !text.is_empty() {
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(format!("# {}\r\n", section.title).as_bytes());
        for (name, value) in (section.fields)(server) {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
    }
    text
}

/// Makes a field of anything that has a text.
fn field(name: &str, value: impl ToString) -> Field {
    (name.to_owned(), value.to_string())
}
