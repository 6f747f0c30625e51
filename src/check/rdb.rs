//! Tool: `redis-check-rdb`: says whether a snapshot is whole, and where it is not.
//!
//! Values are loaded and looked through, one at a time, as if they came from somebody foreign; of
//! what a module has written the frame is.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write},
    path::Path,
};

use base::clock::Clock;

use crate::{
    config::Config,
    functions::Functions,
    persist::{
        rdb::{
            self, Decoder, Fault,
            format::{
                AUX, EOF, EXPIRETIME, EXPIRETIME_MS, FREQ, FUNCTION, FUNCTION_PRE_GA,
                FUNCTION_PRE_GA_REFUSED, IDLE, MAGIC_BYTES, MODULE_AUX, OPCODE_MIN, ObjectType,
                RESIZEDB, SELECTDB, SLOT_IMPORT, SLOT_INFO, Version, module_name,
            },
            skip,
        },
        rio::Reader,
    },
    version,
};

/// What must stand before the time of a module's field.
const MODULE_WHEN: u64 = 2;

/// Checks the file that the arguments name, the program's name first; returns the exit code.
pub fn run(arguments: &[OsString]) -> i32 {
    let [_, argument] = arguments else {
        let program = arguments.first().cloned().unwrap_or_default();
        eprintln!("Usage: {} <rdb-file-name>", program.to_string_lossy());
        return 1;
    };
    if argument == "-v" || argument == "--version" {
        println!("redis-check-rdb {}{}", version::VERSION, git());
        return 0;
    }
    i32::from(!check_and_tell(Path::new(argument)))
}

/// Checks a file, says what was found on standard output, and returns whether it is whole.
pub fn check_and_tell(path: &Path) -> bool {
    let mut out = io::stdout().lock();
    let is_whole = check(path, now_ms(), &mut out);
    // Whoever does not listen is no reason to fail.
    let _ = out.flush();
    is_whole
}

fn now_ms() -> i64 {
    i64::try_from(Clock::system().now_ms()).unwrap_or(i64::MAX)
}

fn git() -> String {
    match (version::GIT_SHA1.trim_matches('0'), version::GIT_DIRTY) {
        ("", _) => String::new(),
        (_, "0") => format!(" (git:{})", version::GIT_SHA1),
        _ => format!(" (git:{}-dirty)", version::GIT_SHA1),
    }
}

/// Checks a file as of `now_ms` and writes what was found to `out`.
fn check(path: &Path, now_ms: i64, out: &mut dyn Write) -> bool {
    // A failure to write is none to check.
    let _ = writeln!(out, "[offset 0] Checking RDB file {}", path.display());
    let (source, total_bytes): (Box<dyn io::Read + Send>, _) = match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata().ok().filter(|metadata| metadata.is_file());
            (Box::new(file), metadata.map(|metadata| metadata.len()))
        }
        Err(error) => {
            let _ = writeln!(out, "Cannot open the file: {}", sys::process::describe(&error));
            return false;
        }
    };
    let limits = Config::new(false).encoding;
    let decoder = Decoder::new(Reader::new(source, total_bytes, true), true, limits);
    let mut checker = Checker {
        decoder,
        now_ms,
        keys: 0,
        expires: 0,
        already_expired: 0,
        doing: "start",
        key: None,
        object_type: None,
        functions: Functions::default(),
        out,
    };
    let outcome = checker.run();
    let is_whole = outcome.is_ok();
    match outcome {
        Ok(()) => checker.say("\\o/ RDB looks OK! \\o/"),
        Err(fault) => checker.say_error(&fault),
    }
    checker.say_figures();
    is_whole
}

struct Checker<'a> {
    decoder: Decoder<'a>,
    now_ms: i64,
    keys: u64,
    expires: u64,
    already_expired: u64,
    doing: &'static str,
    /// The key whose value is being read.
    key: Option<Vec<u8>>,
    object_type: Option<ObjectType>,
    functions: Functions,
    out: &'a mut dyn Write,
}

impl Checker<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        let magic: [u8; MAGIC_BYTES] = self.decoder.reader.array()?;
        let version = Version::parse(&magic)?;
        self.decoder.is_valkey = version == Version::Valkey;
        let mut expiry_ms = None;
        loop {
            self.doing = "read-type";
            match self.decoder.byte()? {
                EOF => break,
                EXPIRETIME => {
                    self.doing = "read-expire";
                    let seconds = i32::from_le_bytes(self.decoder.reader.array()?);
                    expiry_ms = Some(i64::from(seconds) * 1000);
                }
                EXPIRETIME_MS => {
                    self.doing = "read-expire";
                    expiry_ms = Some(self.decoder.time_ms()?);
                }
                opcode @ OPCODE_MIN.. => self.obey(opcode)?,
                object_type => {
                    self.read_key(ObjectType(object_type))?;
                    if let Some(at_ms) = expiry_ms.take() {
                        self.expires += 1;
                        self.already_expired += u64::from(at_ms < self.now_ms);
                    }
                }
            }
        }
        if version.has_checksum() {
            self.check_sum()?;
        }
        Ok(())
    }

    fn obey(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            FREQ => drop(self.decoder.byte()?),
            IDLE => drop(self.decoder.length()?),
            SELECTDB => {
                self.doing = "read-len";
                let db = self.decoder.length()?;
                self.say(&format!("Selecting DB ID {db}"));
            }
            RESIZEDB => {
                self.doing = "read-len";
                self.decoder.length()?;
                self.decoder.length()?;
            }
            SLOT_INFO => {
                self.doing = "read-len";
                for _ in 0..3 {
                    self.decoder.length()?;
                }
            }
            SLOT_IMPORT if self.decoder.is_valkey => {
                self.doing = "read-slot-import";
                skip::skip_slot_import(&mut self.decoder)?;
            }
            AUX => {
                self.doing = "read-aux";
                let name = self.decoder.string()?.into_owned();
                let value = self.decoder.string()?.into_owned();
                self.say_bytes(&[b"AUX FIELD ", &name[..], b" = '", &value, b"'"].concat());
            }
            MODULE_AUX => {
                self.doing = "read-module-aux";
                let name = module_name(self.decoder.length()?);
                if self.decoder.length()? != MODULE_WHEN {
                    return Err(Fault::corrupt("bad when_opcode"));
                }
                self.decoder.length()?;
                self.say(&format!("MODULE AUX for: {name}"));
                skip::skip_module_value(&mut self.decoder)?;
            }
            FUNCTION => {
                self.doing = "read-functions";
                self.functions.add(&self.decoder.string()?, false).map_err(Fault::library)?;
            }
            FUNCTION_PRE_GA => return Err(Fault::corrupt(FUNCTION_PRE_GA_REFUSED)),
            opcode => {
                return Err(Fault::Corrupt(format!("Invalid object type: {opcode}").into()));
            }
        }
        Ok(())
    }

    fn read_key(&mut self, object_type: ObjectType) -> Result<(), Fault> {
        if !object_type.is_known() {
            return Err(Fault::Corrupt(format!("Invalid object type: {}", object_type.0).into()));
        }
        self.object_type = Some(object_type);
        self.doing = "read-key";
        self.key = Some(self.decoder.string()?.into_owned());
        self.keys += 1;
        self.doing = "read-object-value";
        rdb::check(&mut self.decoder, object_type)?;
        (self.key, self.object_type) = (None, None);
        Ok(())
    }

    fn check_sum(&mut self) -> Result<(), Fault> {
        self.doing = "check-sum";
        let expected = self.decoder.reader.checksum();
        match u64::from_le_bytes(self.decoder.reader.array()?) {
            0 => self.say("RDB file was saved with checksum disabled: no check performed."),
            found if Some(found) == expected => self.say("Checksum OK"),
            _ => return Err(Fault::corrupt("RDB CRC error")),
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        self.say_bytes(text.as_bytes());
    }

    fn say_bytes(&mut self, text: &[u8]) {
        let place = format!("[offset {}] ", self.decoder.reader.offset());
        // A failure to write is none to check.
        let _ = self.out.write_all(&[place.as_bytes(), text, b"\n"].concat());
    }

    fn say_error(&mut self, fault: &Fault) {
        let _ = writeln!(self.out, "--- RDB ERROR DETECTED ---");
        match fault {
            Fault::Short => self.say("Unexpected EOF reading RDB file"),
            fault => self.say(&fault.to_string()),
        }
        let _ = writeln!(self.out, "[additional info] While doing: {}", self.doing);
        if let Some(key) = &self.key {
            let head = b"[additional info] Reading key '";
            let _ = self.out.write_all(&[&head[..], key, b"'\n"].concat());
        }
        if let Some(object_type) = self.object_type {
            let (byte, form) = (object_type.0, object_type.form());
            let _ = writeln!(self.out, "[additional info] Reading type {byte} ({form})");
        }
    }

    fn say_figures(&mut self) {
        let Self { keys, expires, already_expired, .. } = self;
        let _ = writeln!(self.out, "[info] {keys} keys read");
        let _ = writeln!(self.out, "[info] {expires} expires");
        let _ = writeln!(self.out, "[info] {already_expired} already expired");
    }
}
