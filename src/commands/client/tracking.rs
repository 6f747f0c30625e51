//! Command: CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: client-side caching.

use base::number::parse_i64;

use super::caller;
use crate::{
    client::tracker::{Mode, Redirect, Tracker, first_overlap},
    error::{ReplyError, printed},
    server::{
        Server,
        call::{Call, CommandResult},
        tracking::{self, Wish, find_number},
    },
};

/// CLIENT TRACKING ON | OFF [REDIRECT client-id] [PREFIX prefix …] [BCAST] [OPTIN] [OPTOUT]
/// [NOLOOP]
pub(in crate::commands) fn tracking(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let options = Options::parse(server, call)?;
    let switch = call.arg(2);
    if switch.eq_ignore_ascii_case(b"on") {
        let former = caller(server, call).tracker.as_deref();
        let wish = options.wish(former)?;
        tracking::begin(server, call.client, &wish);
    } else if switch.eq_ignore_ascii_case(b"off") {
        tracking::end(server, call.client);
    } else {
        return Err(ReplyError::Syntax);
    }
    call.reply.ok();
    Ok(())
}

#[derive(Default)]
struct Options<'a> {
    redirect: Option<Redirect>,
    prefixes: Vec<&'a [u8]>,
    broadcasts: bool,
    opts_in: bool,
    opts_out: bool,
    skips_own: bool,
}

impl<'a> Options<'a> {
    fn parse(server: &Server, call: &Call<'a>) -> Result<Self, ReplyError> {
        let mut options = Self::default();
        let mut words = call.argv.from(3);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("redirect") && 0 < words.len() {
                if options.redirect.is_some() {
                    return Err(ReplyError::text(
                        "ERR A client can only redirect to a single other client",
                    ));
                }
                let number = parse_i64(words.next().unwrap_or_default());
                let number = number.ok_or(ReplyError::NotInteger)?;
                let (id, client) = find_number(server, number).ok_or(ReplyError::text(
                    "ERR The client ID you want redirect to does not exist",
                ))?;
                options.redirect = Some(Redirect { number: client.number, id });
            } else if is("prefix") && 0 < words.len() {
                options.prefixes.extend(words.next());
            } else if is("bcast") {
                options.broadcasts = true;
            } else if is("optin") {
                options.opts_in = true;
            } else if is("optout") {
                options.opts_out = true;
            } else if is("noloop") {
                options.skips_own = true;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(options)
    }

    /// Returns how a client is to track from now on, unless that contradicts itself or how
    /// it has done so far.
    fn wish(self, former: Option<&Tracker>) -> Result<Wish<'a>, ReplyError> {
        if !self.broadcasts && !self.prefixes.is_empty() {
            return Err(ReplyError::text("ERR PREFIX option requires BCAST mode to be enabled"));
        }
        let former_mode = former.map(|tracker| tracker.mode);
        if former_mode.is_some_and(|mode| (mode == Mode::Broadcast) != self.broadcasts) {
            return Err(ReplyError::text(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this \
                 client, and then re-enabling it with a different mode.",
            ));
        }
        let mode = match (self.broadcasts, self.opts_in, self.opts_out) {
            (false, false, false) => Mode::Read,
            (false, true, false) => Mode::OptIn,
            (false, false, true) => Mode::OptOut,
            (true, false, false) => Mode::Broadcast,
            (true, ..) => {
                let text = "ERR OPTIN and OPTOUT are not compatible with BCAST";
                return Err(ReplyError::text(text));
            }
            (false, true, true) => {
                let text = "ERR You can't specify both OPTIN mode and OPTOUT mode";
                return Err(ReplyError::text(text));
            }
        };
        if let (Mode::OptIn, Some(Mode::OptOut)) | (Mode::OptOut, Some(Mode::OptIn)) =
            (mode, former_mode)
        {
            return Err(ReplyError::text(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this \
                 client, and then re-enabling it with a different mode.",
            ));
        }
        self.check_prefixes(former)?;
        let mut prefixes = self.prefixes;
        if self.broadcasts && prefixes.is_empty() {
            prefixes.push(b"");
        }
        Ok(Wish { mode, skips_own: self.skips_own, redirect: self.redirect, prefixes })
    }

    /// A key must not be told of twice.
    fn check_prefixes(&self, former: Option<&Tracker>) -> CommandResult {
        let among = first_overlap(&self.prefixes);
        for prefix in &self.prefixes {
            if let Some(known) = former.and_then(|tracker| tracker.overlapping(prefix)) {
                return Err(overlap_error(prefix, "an existing", known));
            }
            if let Some((_, other)) = among.filter(|(first, _)| first == prefix) {
                return Err(overlap_error(prefix, "another provided", other));
            }
        }
        Ok(())
    }
}

fn overlap_error(prefix: &[u8], what: &str, other: &[u8]) -> ReplyError {
    let text = [
        b"ERR Prefix '",
        printed(prefix),
        b"' overlaps with ",
        what.as_bytes(),
        b" prefix '",
        printed(other),
        b"'. Prefixes for a single client must not overlap.",
    ];
    ReplyError::Bytes(text.concat())
}

/// CLIENT CACHING YES | NO
pub(in crate::commands) fn caching(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let answer = call.arg(2);
    let tracker = caller(server, call).tracker.as_mut().ok_or(ReplyError::text(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or \
         OPTOUT mode enabled",
    ))?;
    let (mode, refusal) = if answer.eq_ignore_ascii_case(b"yes") {
        let text = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.";
        (Mode::OptIn, text)
    } else if answer.eq_ignore_ascii_case(b"no") {
        let text = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
        (Mode::OptOut, text)
    } else {
        return Err(ReplyError::Syntax);
    };
    if tracker.mode != mode {
        return Err(ReplyError::text(refusal));
    }
    tracker.is_caching_given = true;
    call.reply.ok();
    Ok(())
}

/// CLIENT GETREDIR
pub(in crate::commands) fn getredir(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let number = caller(server, call).redirect_number();
    call.reply.integer(number);
    Ok(())
}

/// CLIENT TRACKINGINFO
pub(in crate::commands) fn trackinginfo(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let client = caller(server, call);
    let tracker = client.tracker.as_deref();
    let has_mode = |mode: Mode| tracker.is_some_and(|tracker| tracker.mode == mode);
    let is_caching_given = tracker.is_some_and(|tracker| tracker.is_caching_given);
    let flags = [
        (tracker.is_some(), "on"),
        (tracker.is_none(), "off"),
        (has_mode(Mode::Broadcast), "bcast"),
        (has_mode(Mode::OptIn), "optin"),
        (has_mode(Mode::OptIn) && is_caching_given, "caching-yes"),
        (has_mode(Mode::OptOut), "optout"),
        (has_mode(Mode::OptOut) && is_caching_given, "caching-no"),
        (tracker.is_some_and(|tracker| tracker.skips_own), "noloop"),
        (tracker.is_some_and(|tracker| tracker.is_redirect_broken), "broken_redirect"),
    ];
    call.reply.map(3);
    call.reply.bulk(b"flags");
    call.reply.set(flags.iter().filter(|(holds, _)| *holds).count());
    for (_, name) in flags.iter().filter(|(holds, _)| *holds) {
        call.reply.bulk(name.as_bytes());
    }
    call.reply.bulk(b"redirect");
    call.reply.integer(client.redirect_number());
    call.reply.bulk(b"prefixes");
    call.reply.array(tracker.map_or(0, |tracker| tracker.prefixes().len()));
    for prefix in tracker.iter().flat_map(|tracker| tracker.prefixes()) {
        call.reply.bulk(prefix);
    }
    Ok(())
}
