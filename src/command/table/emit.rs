//! Tool: writes the table of commands as Rust: arrays in one order, and the slots of names.
//!
//! A command's place in the arrays is its `CommandId`: a container comes before its
//! subcommands, which come together, so that both are ranges. Names are found by a perfect
//! hash: each bucket of names has a shift that sends its names to slots which no other name
//! wants; the greatest buckets choose first.

use std::fmt::Write;

use super::{
    Argument, BeginSearch, FindKeys, KEYS_FUNCTIONS, KeySpec, Record, Result, legacy::legacy,
};
use crate::{
    flags::{AclCategories, Flags},
    hash::{Folded, bucket, slot},
};

/// What a container that has no code of its own does: nothing can call it.
const NO_HANDLER: &str = "|_, _| unreachable!(\"its arity wants a subcommand\")";

/// The text of two files.
pub(crate) struct Emitted {
    /// For the rooms: what is known of each command.
    pub(crate) specs: String,
    /// For the top: what each command runs.
    pub(crate) handlers: String,
}

/// A record, and where it stands among the others.
struct Placed<'a> {
    record: &'a Record,
    container: Option<usize>,
    first_subcommand: usize,
}

/// Writes both files.
pub(crate) fn emit(records: &[Record]) -> Result<Emitted> {
    let placed = place(records);
    let count = placed.len();
    if usize::from(u16::MAX) <= count {
        return Err(format!("{count} commands are too many for a u16"));
    }
    let (mut specs, mut docs, mut ids, mut handlers) = Default::default();
    for (index, placed) in placed.iter().enumerate() {
        emit_spec(&mut specs, placed);
        emit_docs(&mut docs, placed.record);
        emit_id(&mut ids, placed.record, index);
        let handler = placed.record.handler.as_deref().unwrap_or(NO_HANDLER);
        add(&mut handlers, format_args!("    {handler},\n"));
    }
    let Hashed { slots, shifts } = hash(&placed)?;
    let mut text = format!(
        "/// How many commands there are, subcommands among them.\n\
         pub const COMMAND_COUNT: usize = {count};\n\n\
         static SPECS: [Spec; COMMAND_COUNT] = [\n{specs}];\n\n\
         static DOCS: [Docs; COMMAND_COUNT] = [\n{docs}];\n\n\
         /// Every command by name: what flows ask of a call's own command.\n\
         pub mod ids {{\n    use super::CommandId;\n{ids}}}\n\n\
         static SHIFTS: [u16; {}] = {shifts:?};\n\n\
         static SLOTS: [Slot; {}] = [\n",
        shifts.len(),
        slots.len(),
    );
    for held in slots {
        let line = match held {
            None => "    Slot::EMPTY,\n".to_owned(),
            Some((index, Folded { head, tail, length, scope })) => format!(
                "    Slot {{ name: Folded {{ head: {head:#x}, tail: {tail:#x}, length: {length}, \
                 scope: {scope} }}, id: {index} }},\n"
            ),
        };
        text.push_str(&line);
    }
    text.push_str("];\n");
    let handlers = format!("static HANDLERS: [CommandFn; {count}] = [\n{handlers}];\n");
    Ok(Emitted { specs: text, handlers })
}

fn place(records: &[Record]) -> Vec<Placed<'_>> {
    let mut placed = Vec::new();
    for record in records {
        let container = placed.len();
        placed.push(Placed { record, container: None, first_subcommand: container + 1 });
        let subcommands = record.subcommands.iter();
        placed.extend(subcommands.map(|record| Placed {
            record,
            container: Some(container),
            first_subcommand: 0,
        }));
    }
    placed
}

struct Hashed {
    slots: Vec<Option<(usize, Folded)>>,
    shifts: Vec<u16>,
}

/// Finds slots in which no two names meet.
fn hash(placed: &[Placed<'_>]) -> Result<Hashed> {
    let mut names: Vec<(usize, Folded)> = Vec::new();
    for (index, Placed { record, container, .. }) in placed.iter().enumerate() {
        let scope = container.map_or(0, |container| container + 1);
        let scope = u16::try_from(scope).expect("counted before");
        let name = Folded::new(record.name.as_bytes(), scope).expect("its length was checked");
        if let Some((other, _)) = names.iter().find(|(_, other)| *other == name) {
            let (a, b) = (&record.full_name, &placed[*other].record.full_name);
            return Err(format!(
                "{a} and {b} have one hash: src/command/hash.rs must tell them apart"
            ));
        }
        names.push((index, name));
    }
    let slots_min = (names.len() * 5 / 4).next_power_of_two().max(16);
    (0..4)
        .map(|doublings| slots_min << doublings)
        .find_map(|slots| try_hash(&names, slots, slots / 4))
        .ok_or_else(|| {
            "no perfect hash was found: src/command/hash.rs wants another mix".to_owned()
        })
}

fn try_hash(names: &[(usize, Folded)], slot_count: usize, bucket_count: usize) -> Option<Hashed> {
    let mut buckets = vec![Vec::new(); bucket_count];
    for (index, name) in names {
        buckets[bucket(name.hash(), bucket_count)].push((*index, *name));
    }
    let mut order: Vec<usize> = (0..bucket_count).collect();
    order.sort_by_key(|at| std::cmp::Reverse(buckets[*at].len()));
    let mut slots = vec![None; slot_count];
    let mut shifts = vec![0; bucket_count];
    for at in order {
        let shift = (0..slot_count).find_map(|shift| {
            let shift = u16::try_from(shift).ok()?;
            let mut wanted: Vec<usize> =
                buckets[at].iter().map(|(_, name)| slot(name.hash(), shift, slot_count)).collect();
            wanted.sort_unstable();
            let are_free = wanted.iter().all(|at| slots[*at].is_none());
            (are_free && wanted.windows(2).all(|pair| pair[0] != pair[1])).then_some(shift)
        })?;
        shifts[at] = shift;
        for (index, name) in &buckets[at] {
            slots[slot(name.hash(), shift, slot_count)] = Some((*index, *name));
        }
    }
    Some(Hashed { slots, shifts })
}

fn emit_spec(out: &mut String, placed: &Placed<'_>) {
    let Placed { record, container, first_subcommand } = placed;
    let legacy = legacy(&record.key_specs);
    let movable = if legacy.are_keys_movable { Flags::MOVABLEKEYS } else { Flags::default() };
    let flags = record.flags.with(movable);
    let categories: AclCategories = record.categories.implied_by(flags);
    let function = record.keys_function.as_deref();
    let function = KEYS_FUNCTIONS.iter().find(|(word, _)| Some(*word) == function);
    let function = function.map(|(_, name)| format!("Some(KeysFunction::{name})"));
    let container = container.map(|at| format!("Some(CommandId({at}))"));
    add(
        out,
        format_args!(
            "    Spec {{\n        name: {:?},\n        full_name: {:?},\n        arity: {},\n        \
             flags: Flags::from_bits({:#x}),\n        categories: \
             AclCategories::from_bits({:#x}),\n        legacy_keys: LegacyKeys {{ first: {}, last: {}, step: \
             {} }},\n        keys_function: {},\n        container: {},\n        first_subcommand: {},\n        \
             subcommand_count: {},\n        tips: &{:?},\n        key_specs: &[",
            record.name,
            record.full_name,
            record.arity,
            flags.bits(),
            categories.bits(),
            legacy.first,
            legacy.last,
            legacy.step,
            function.as_deref().unwrap_or("None"),
            container.as_deref().unwrap_or("None"),
            first_subcommand,
            record.subcommands.len(),
            record.tips,
        ),
    );
    record.key_specs.iter().for_each(|spec| emit_key_spec(out, spec));
    out.push_str("],\n    },\n");
}

fn emit_key_spec(out: &mut String, spec: &KeySpec) {
    let begin = match &spec.begin {
        BeginSearch::Index { index } => format!("Index {{ index: {index} }}"),
        BeginSearch::Keyword { keyword, start_from } => {
            format!("Keyword {{ keyword: {keyword:?}, start_from: {start_from} }}")
        }
        BeginSearch::Unknown => "Unknown".to_owned(),
    };
    let find = match &spec.find {
        FindKeys::Range { last_key, key_step, limit } => {
            format!("Range {{ last_key: {last_key}, key_step: {key_step}, limit: {limit} }}")
        }
        FindKeys::KeyNum { index, first_key, key_step } => {
            format!("KeyNum {{ index: {index}, first_key: {first_key}, key_step: {key_step} }}")
        }
        FindKeys::Unknown => "Unknown".to_owned(),
    };
    add(
        out,
        format_args!(
            "KeySpec {{ flags: KeyFlags::from_bits({:#x}), begin: BeginSearch::{begin}, find: \
             FindKeys::{find}, notes: {:?} }}, ",
            spec.flags.bits(),
            spec.notes,
        ),
    );
}

fn emit_docs(out: &mut String, record: &Record) {
    add(
        out,
        format_args!(
            "    Docs {{\n        summary: {:?},\n        since: {:?},\n        group: {:?},\n        \
             complexity: {:?},\n        history: &{:?},\n        doc_flags: \
             DocFlags::from_bits({:#x}),\n        deprecated_since: {:?},\n        replaced_by: {:?},\n        \
             arguments: ",
            record.summary,
            record.since,
            record.group,
            record.complexity,
            record.history,
            record.doc_flags.bits(),
            record.deprecated_since,
            record.replaced_by,
        ),
    );
    emit_arguments(out, &record.arguments);
    out.push_str(",\n    },\n");
}

fn emit_arguments(out: &mut String, arguments: &[Argument]) {
    out.push_str("&[");
    for argument in arguments {
        add(
            out,
            format_args!(
                "Argument {{ name: {:?}, kind: ArgumentKind::{}, display_text: {:?}, \
                 key_spec_index: {:?}, token: {:?}, summary: {:?}, since: {:?}, deprecated_since: \
                 {:?}, flags: ArgumentFlags::from_bits({:#x}), arguments: ",
                argument.name,
                argument.kind,
                argument.display_text.as_ref().unwrap_or(&argument.name),
                argument.key_spec_index,
                argument.token,
                argument.summary,
                argument.since,
                argument.deprecated_since,
                argument.flags.bits(),
            ),
        );
        emit_arguments(out, &argument.arguments);
        out.push_str(" }, ");
    }
    out.push(']');
}

fn emit_id(out: &mut String, record: &Record, index: usize) {
    let typed = record.full_name.to_ascii_uppercase();
    let name = typed.replace(['|', '-'], "_");
    add(
        out,
        format_args!(
            "    /// {}\n    pub const {name}: CommandId = CommandId({index});\n",
            typed.replace('|', " "),
        ),
    );
}

fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes everything");
}
