//! Pure: `redis://` and `rediss://` addresses.

/// What an address says; what it leaves out stays as it was.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Uri {
    pub(crate) is_tls: bool,
    pub(crate) user: Option<Vec<u8>>,
    pub(crate) password: Option<Vec<u8>>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) db: Option<i32>,
}

/// Takes an address apart.
pub(crate) fn parse(text: &[u8]) -> Result<Uri, String> {
    let (is_tls, rest) = if let Some(rest) = after_scheme(text, b"rediss://") {
        (true, rest)
    } else if let Some(rest) = after_scheme(text, b"redis://") {
        (false, rest)
    } else {
        return Err("Invalid URI scheme".to_owned());
    };
    let mut uri = Uri { is_tls, ..Uri::default() };
    let mut rest = rest;
    if let Some(at) = rest.iter().position(|byte| *byte == b'@') {
        let secrets = &rest[..at];
        rest = &rest[at + 1..];
        let password = match secrets.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                uri.user = Some(decode(&secrets[..colon])?);
                &secrets[colon + 1..]
            }
            None => secrets,
        };
        uri.password = Some(decode(password)?);
    }
    let slash = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    let (place, path) = rest.split_at(slash);
    if !place.is_empty() {
        let (host, port) = split_port(place)?;
        uri.host = Some(String::from_utf8_lossy(host).into_owned());
        uri.port = port.map(parse_port).transpose()?;
    }
    if let Some(db) = path.strip_prefix(b"/").filter(|db| !db.is_empty()) {
        let db = String::from_utf8_lossy(db);
        uri.db = Some(db.parse().map_err(|_| format!("Invalid database number '{db}' in URI"))?);
    }
    Ok(uri)
}

fn after_scheme<'a>(text: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Tells a host from its port; an IPv6 address stands in brackets.
fn split_port(place: &[u8]) -> Result<(&[u8], Option<&[u8]>), String> {
    if let Some(inner) = place.strip_prefix(b"[") {
        let end = inner.iter().position(|byte| *byte == b']');
        let end = end.ok_or("Unclosed bracket in URI")?;
        return Ok((&inner[..end], inner[end + 1..].strip_prefix(b":")));
    }
    Ok(match place.iter().position(|byte| *byte == b':') {
        Some(colon) => (&place[..colon], Some(&place[colon + 1..])),
        None => (place, None),
    })
}

fn parse_port(text: &[u8]) -> Result<u16, String> {
    let port = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    port.ok_or_else(|| "Invalid server port.".to_owned())
}

fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let Some((digits, tail)) = rest.split_first_chunk::<2>() else {
            return Err("Incomplete URI encoding".to_owned());
        };
        let digit =
            |at: usize| char::from(digits[at]).to_digit(16).and_then(|n| u8::try_from(n).ok());
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err("Illegal character in URI encoding".to_owned());
        };
        decoded.push(high << 4 | low);
        rest = tail;
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::{Uri, parse};

    #[test]
    fn every_part_is_optional() {
        let full = parse(b"rediss://me:p%40ss%3a@db.example:7000/3").unwrap();
        let expected = Uri {
            is_tls: true,
            user: Some(b"me".to_vec()),
            password: Some(b"p@ss:".to_vec()),
            host: Some("db.example".to_owned()),
            port: Some(7000),
            db: Some(3),
        };
        assert_eq!(full, expected);
        assert_eq!(parse(b"REDIS://").unwrap(), Uri::default());
        assert_eq!(parse(b"redis:///9").unwrap(), Uri { db: Some(9), ..Uri::default() });
        assert_eq!(parse(b"redis://pw@").unwrap().password, Some(b"pw".to_vec()));
        let six = parse(b"redis://[::1]:7/").unwrap();
        assert_eq!((six.host.as_deref(), six.port, six.db), (Some("::1"), Some(7), None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let table: [(&[u8], &str); 6] = [
            (b"http://x", "Invalid URI scheme"),
            (b"redis://a%4@h", "Incomplete URI encoding"),
            (b"redis://a%zz@h", "Illegal character in URI encoding"),
            (b"redis://h:99999", "Invalid server port."),
            (b"redis://[::1", "Unclosed bracket in URI"),
            (b"redis://h/x", "Invalid database number 'x' in URI"),
        ];
        for (text, error) in table {
            assert_eq!(parse(text), Err(error.to_owned()));
        }
    }
}
