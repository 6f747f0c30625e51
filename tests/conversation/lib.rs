//! Tool: conversations: text files that say what is typed at a server and what it answers.
//!
//! A file `tests/data/<family>/<name>.txt` holds conversations, one held anywhere:
//!
//! ```text
//! // Prose, for who reads the file.
//! # what this conversation shows [--some-directive value] [since 7.2]
//! a> SET k "two words\r\n"
//! a< +OK
//! ```
//!
//! | line | meaning |
//! |---|---|
//! | `# title` | opens a conversation; in brackets at its end: directives of its server, and tags |
//! | `a> GET k` | client `a` (connected when first mentioned) says this, as an array of bulks |
//! | `a>> PING\r\n` | the same, but these very bytes |
//! | `a< +OK` | all that has come to `a` since it was last heard; `(closed)` at its end if closed |
//! | `a<~ *2 $1 x $1 y` | the same, where the order of elements (or pairs) means nothing, at any depth |
//! | `a<~~ *4 $1 k $1 v …` | the same for an array that is a map |
//! | `   …` | an indented line goes on with the expectation above; after `\|`, without a space |
//! | `sleep 20` | time passes, in milliseconds |
//! | `open a`, `close a`, `shut a` | connects, disconnects, ends only what `a` sends |
//! | `restart` | the server is stopped and started again in its directory |
//! | `// …` | a remark |
//!
//! Arguments are quoted as redis-cli has them. `{x*1000}` stands for a thousand times `x`, and
//! `{name}` for what an expectation has captured under that name. Replies are written as they
//! travel, with a space for each line end, an escape for each byte that is not printable, and
//! `\<` for `<`, because `<…>` is a pattern: `<int>`, `<int 90..100>`, `<float>`, `<word>`,
//! `<any>`, `<re:[a-z]+>`; `<int=id>` captures.
//!
//! Tags: `[sockets]` is not for a world without them, `[process]` not for one whose server is no
//! process of its own, `[plain]` not for TLS, `[ours]` not for the reference, `[since 7.2]` not
//! for an older reference, `[own]` wants a server that nobody has used, `[gap]` is what the
//! reference gives and we do not yet, and must fail with us.
//!
//! Start reading at [`hold_all`].

mod expect;
mod play;
mod port;
mod process;
mod reference;
mod script;
mod wire;
mod words;
mod world;

pub use play::hold_all;
pub use port::Port;
pub use process::{Connect, Process, Program, Stream};
pub use reference::reference;
pub use script::Tags;
pub use words::{encode, split};
pub use world::{Heard, Place, World};
