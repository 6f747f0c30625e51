//! Tool: expectations: a text in which `<…>` stands for what differs from run to run.

use std::{collections::BTreeMap, ops::RangeInclusive};

use regex_lite::Regex;

/// Holds a text against an expectation; both have single spaces. Captures go to `captured`.
/// An error says what is wrong with the expectation itself.
pub(crate) fn matches(
    expected: &str,
    actual: &str,
    captured: &mut BTreeMap<String, String>,
) -> Result<bool, String> {
    if expected == actual {
        return Ok(true);
    }
    let Some(pattern) = Pattern::parse(expected)? else { return Ok(false) };
    let Some(found) = pattern.regex.captures(actual) else { return Ok(false) };
    for (group, range) in &pattern.ranges {
        let value = found.get(*group).and_then(|value| value.as_str().parse::<i64>().ok());
        if !value.is_some_and(|value| range.contains(&value)) {
            return Ok(false);
        }
    }
    for (group, name) in pattern.names {
        let value = found.get(group).map_or("", |value| value.as_str());
        captured.insert(name, value.to_string());
    }
    Ok(true)
}

struct Pattern {
    regex: Regex,
    ranges: Vec<(usize, RangeInclusive<i64>)>,
    names: Vec<(usize, String)>,
}

impl Pattern {
    /// Returns nothing for a text that holds no pattern.
    fn parse(expected: &str) -> Result<Option<Self>, String> {
        let (mut source, mut group) = (String::from("^(?s:"), 0);
        let (mut ranges, mut names) = (Vec::new(), Vec::new());
        let mut rest = expected;
        while let Some(at) = rest.find(['<', '\\']) {
            source += &regex_lite::escape(&rest[..at]);
            rest = &rest[at..];
            if rest.starts_with('\\') {
                let end = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
                source += &regex_lite::escape(&rest[..end]);
                rest = &rest[end..];
                continue;
            }
            let end = rest.find('>').ok_or_else(|| format!("`{rest}` is not closed by `>`"))?;
            let inner = &rest[1..end];
            rest = &rest[end + 1..];
            group += 1;
            let (kind, name) = match inner.split_once('=') {
                Some((kind, name)) if !inner.starts_with("re:") => (kind, Some(name)),
                _ => (inner, None),
            };
            names.extend(name.map(|name| (group, name.to_string())));
            let (kind, range) = kind.split_once(' ').map_or((kind, None), |(k, r)| (k, Some(r)));
            if let Some(range) = range.filter(|_| !inner.starts_with("re:")) {
                let ends = range.split_once("..");
                let ends = ends.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                let (low, high) = ends.ok_or_else(|| format!("what is <{inner}>?"))?;
                ranges.push((group, low..=high));
            }
            let part = match kind {
                _ if inner.starts_with("re:") => &inner[3..],
                "int" => "-?[0-9]+",
                "float" => "-?[0-9]+(?:\\.[0-9]+)?",
                "word" => "[^ ]+",
                "any" => ".*",
                _ => return Err(format!("what is <{inner}>?")),
            };
            source += &format!("({part})");
        }
        if group == 0 {
            return Ok(None);
        }
        source += &regex_lite::escape(rest);
        source += ")$";
        let regex = Regex::new(&source).map_err(|error| format!("{expected}: {error}"))?;
        Ok(Some(Self { regex, ranges, names }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_met(expected: &str, actual: &str) -> bool {
        matches(expected, actual, &mut BTreeMap::new()).unwrap()
    }

    #[test]
    fn patterns_stand_for_what_differs() {
        assert!(is_met(":<int>", ":-12"));
        assert!(!is_met(":<int>", ":x"));
        assert!(is_met(":<int 90..100>", ":100") && !is_met(":<int 90..100>", ":101"));
        assert!(is_met("$<int> a<any>z", "$3 a.*\\r\\n b z"));
        assert!(is_met("<re:[ab]{2}> +OK", "ab +OK") && !is_met("<re:[ab]{2}>", "abc"));
        assert!(is_met("*1 (x) <word>", "*1 (x) y") && !is_met("*1 (x) <word>", "*1 x y"));
    }

    #[test]
    fn an_escaped_bracket_is_one() {
        assert!(is_met("+\\<int> <int>", "+\\<int> 1"));
        assert!(!is_met("+\\<int> <int>", "+1 1"));
    }

    #[test]
    fn what_is_captured_has_a_name() {
        let mut captured = BTreeMap::new();
        assert_eq!(matches(":<int=id> <word=who>", ":7 me", &mut captured), Ok(true));
        assert_eq!((captured["id"].as_str(), captured["who"].as_str()), ("7", "me"));
    }

    #[test]
    fn a_bad_pattern_is_an_error() {
        assert!(matches("<number>", "1", &mut BTreeMap::new()).is_err());
        assert!(matches("<int", "1", &mut BTreeMap::new()).is_err());
        assert!(matches("<int 1-2>", "1", &mut BTreeMap::new()).is_err());
    }
}
