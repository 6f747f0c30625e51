//! Tool: what one table of a data file says, taken out word by word.
//!
//! Whoever reads a record takes each field that it knows; `end` then complains of whatever is
//! left, so a misspelt field cannot pass for a missing one.

use toml::{Table, Value};

use super::Result;

/// The fields that have not been taken yet, and where they stand.
pub(crate) struct Fields {
    at: String,
    table: Table,
}

impl Fields {
    /// Wraps a table that stands `at` a place, as errors name it.
    pub(crate) fn new(at: String, table: Table) -> Self {
        Self { at, table }
    }

    /// Makes an error of this place.
    pub(crate) fn error(&self, what: impl std::fmt::Display) -> String {
        format!("{}: {what}", self.at)
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.table.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(other) => Err(self.error(format!("`{name}` wants a text, not {other}"))),
        }
    }

    /// Takes a text that must be there.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.error(format!("`{name}` is missing")))
    }

    /// Takes an integer of any size.
    pub(crate) fn integer<N: TryFrom<i64>>(&mut self, name: &str) -> Result<Option<N>> {
        let Some(value) = self.table.remove(name) else { return Ok(None) };
        let number = value.as_integer().and_then(|n| N::try_from(n).ok());
        let wrong = || self.error(format!("`{name}` wants an integer in range, not {value}"));
        number.map(Some).ok_or_else(wrong)
    }

    /// Takes an integer that must be there.
    pub(crate) fn required_integer<N: TryFrom<i64>>(&mut self, name: &str) -> Result<N> {
        self.integer(name)?.ok_or_else(|| self.error(format!("`{name}` is missing")))
    }

    /// Takes a claim, false if it is not made.
    pub(crate) fn claim(&mut self, name: &str) -> Result<bool> {
        match self.table.remove(name) {
            None => Ok(false),
            Some(Value::Boolean(is_so)) => Ok(is_so),
            Some(other) => Err(self.error(format!("`{name}` wants true or false, not {other}"))),
        }
    }

    /// Takes a list of words, each once, empty if it is not there.
    pub(crate) fn words(&mut self, name: &str) -> Result<Vec<String>> {
        let mut words = Vec::new();
        for value in self.values(name)? {
            match value {
                Value::String(word) if !words.contains(&word) => words.push(word),
                other => return Err(self.error(format!("`{name}`: {other} is no word, or twice"))),
            }
        }
        Ok(words)
    }

    /// Takes a list of words and joins what each means.
    pub(crate) fn bits<T: Default>(
        &mut self,
        name: &str,
        from_word: impl Fn(&[u8]) -> Option<T>,
        with: impl Fn(T, T) -> T,
    ) -> Result<T> {
        let mut all = T::default();
        for word in self.words(name)? {
            let bit = from_word(word.as_bytes());
            let bit = bit.ok_or_else(|| self.error(format!("`{name}` has no word `{word}`")))?;
            all = with(all, bit);
        }
        Ok(all)
    }

    /// Takes a list of pairs of texts.
    pub(crate) fn pairs(&mut self, name: &str) -> Result<Vec<(String, String)>> {
        let mut pairs = Vec::new();
        for value in self.values(name)? {
            let array = value.as_array().map(Vec::as_slice).unwrap_or_default();
            let [Value::String(first), Value::String(second)] = array else {
                return Err(self.error(format!("`{name}` wants pairs of texts, not {value}")));
            };
            pairs.push((first.clone(), second.clone()));
        }
        Ok(pairs)
    }

    /// Takes a list of tables.
    pub(crate) fn tables(&mut self, name: &str) -> Result<Vec<Self>> {
        let mut tables = Vec::new();
        for (index, value) in self.values(name)?.into_iter().enumerate() {
            let Value::Table(table) = value else {
                return Err(self.error(format!("`{name}` wants tables, not {value}")));
            };
            tables.push(Self::new(format!("{}: {name} {index}", self.at), table));
        }
        Ok(tables)
    }

    /// Takes a table, or the word `unknown` for none.
    pub(crate) fn table_or_unknown(&mut self, name: &str) -> Result<Option<Option<Self>>> {
        match self.table.remove(name) {
            None => Ok(None),
            Some(Value::String(word)) if word == "unknown" => Ok(Some(None)),
            Some(Value::Table(table)) => {
                Ok(Some(Some(Self::new(format!("{}: {name}", self.at), table))))
            }
            Some(other) => {
                Err(self.error(format!("`{name}` wants a table or \"unknown\", not {other}")))
            }
        }
    }

    /// Takes every table of named tables below `name`.
    pub(crate) fn named_tables(&mut self, name: &str) -> Result<Vec<(String, Self)>> {
        match self.table.remove(name) {
            None => Ok(Vec::new()),
            Some(Value::Table(table)) => Self::new(self.at.clone(), table).into_named_tables(),
            Some(other) => Err(self.error(format!("`{name}` wants tables, not {other}"))),
        }
    }

    /// Takes what is left, all of it tables.
    pub(crate) fn into_named_tables(self) -> Result<Vec<(String, Self)>> {
        let mut tables = Vec::new();
        for (name, value) in self.table {
            let at = format!("{}: [{name}]", self.at);
            let Value::Table(table) = value else {
                return Err(format!("{at}: no field of that name, and no command"));
            };
            tables.push((name, Self::new(at, table)));
        }
        Ok(tables)
    }

    /// Whether a field has not been taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Complains of what nobody has taken.
    pub(crate) fn end(self) -> Result<()> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.error(format!("there is no field `{name}`"))),
        }
    }

    fn values(&mut self, name: &str) -> Result<Vec<Value>> {
        match self.table.remove(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) if !values.is_empty() => Ok(values),
            Some(other) => Err(self.error(format!("`{name}` wants a list, not {other}"))),
        }
    }
}
