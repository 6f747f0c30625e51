//! Pure: which commands carry secrets, and so stay out of the history.

use crate::session::is;

/// Whether a command may carry a password.
pub(crate) fn is_secret(words: &[Vec<u8>]) -> bool {
    if is(words, 0, "auth") {
        return true;
    }
    if is(words, 0, "acl") {
        return is(words, 1, "setuser");
    }
    if is(words, 0, "config") && is(words, 1, "set") {
        let names = ["masterauth", "masteruser", "requirepass"];
        return (2..words.len()).step_by(2).any(|at| names.iter().any(|name| is(words, at, name)));
    }
    if is(words, 0, "hello") {
        return hello_has_password(words);
    }
    is(words, 0, "migrate") && migrate_has_password(words)
}

/// HELLO version [AUTH user password] [SETNAME name], in either order.
fn hello_has_password(words: &[Vec<u8>]) -> bool {
    let mut at = 2;
    while is(words, at, "setname") {
        at += 2;
    }
    is(words, at, "auth") && at + 2 < words.len()
}

/// MIGRATE's options begin with its seventh word and end with KEYS.
fn migrate_has_password(words: &[Vec<u8>]) -> bool {
    for at in 6..words.len().saturating_sub(1) {
        if is(words, at, "auth") || is(words, at, "auth2") {
            return true;
        }
        if is(words, at, "keys") {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    fn check(line: &str, expected: bool) {
        let words: Vec<_> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        assert_eq!(is_secret(&words), expected, "{line}");
    }

    #[test]
    fn passwords_stay_out_of_the_history() {
        check("AUTH x", true);
        check("acl SETUSER me >x", true);
        check("config set maxmemory 0 requirepass x", true);
        check("hello 3 auth me x", true);
        check("hello 3 setname me auth me x", true);
        check("migrate h 1 k 0 9 copy auth x", true);
        check("migrate h 1 k 0 9 auth2 me x", true);
        check("acl list", false);
        check("config set maxmemory requirepass", false);
        check("config get requirepass", false);
        check("hello 3 setname auth", false);
        check("migrate h 1  0 9 keys auth x", false);
        check("set auth x", false);
    }
}
