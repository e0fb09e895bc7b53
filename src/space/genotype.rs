//! All decisions of one candidate as a tree of genes, and its frozen text form.
//!
//! ```text
//! genotype = [ gene { "," gene } ]
//! gene     = choice | int | float | many
//! choice   = digits [ "(" gene { "," gene } ")" ]      index of a candidate, then the genes it brings
//! int      = "#" [ "-" ] digits
//! float    = a decimal number with a point or an exponent, such as 0.001 or 1e-5
//! many     = "[" [ choice { "," choice } ] "]"
//! ```
//! Spaces between the words are read and never written. What is written today is read for ever: studies store it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thin_vec::{ThinVec, thin_vec};

/// How deep genes may nest in a text: far more than any space, far less than the stack.
const MAX_DEPTH: usize = 256;

/// One decided value: a tree, for a choice brings its own decisions with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Gene {
    /// The index of a candidate and the genes of the decisions that this candidate holds.
    Choice(u32, Genes),
    /// `ManyOf` and `Permutation`: one choice a slot, in slot order.
    Many(Genes),
    /// An `Int`.
    Int(i64),
    /// A `Float`.
    Float(f64),
}

/// All decisions of one candidate, in the space's order: what algorithms see and studies store.
///
/// Its text form is frozen: `2,3(1,0),#16,0.001,[2,0,1]` is a choice, a choice with two decisions of its own, an
/// integer, a float (always with a point or an exponent), and a `ManyOf`.
///
/// ```
/// use cellwright::{Gene, Genotype};
///
/// let genotype: Genotype = "2,3(1,0),#16,0.001,[2,0,1]".parse()?;
/// assert_eq!(genotype.0[2], Gene::Int(16));
/// assert_eq!(genotype.to_string(), "2,3(1,0),#16,0.001,[2,0,1]");
/// # Ok::<(), cellwright::space::GenotypeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Genotype(pub Genes);

/// Genes in order, as small as can be: a search keeps those of every trial, and most choices bring none.
pub type Genes = ThinVec<Gene>;

impl Genotype {
    /// Gives back the memory that was set aside for more genes.
    pub(crate) fn shrink(&mut self) {
        shrink(&mut self.0);
    }
}

fn shrink(genes: &mut Genes) {
    genes.shrink_to_fit();
    for gene in genes {
        if let Gene::Choice(_, inner) | Gene::Many(inner) = gene {
            shrink(inner);
        }
    }
}

const _: () = assert!(std::mem::size_of::<Gene>() == 16, "a search keeps the genes of every trial");

/// Why a genotype is not of a space, or has no program.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct GenotypeError(pub String);

impl fmt::Display for Gene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gene::Choice(index, inner) if inner.is_empty() => write!(f, "{index}"),
            Gene::Choice(index, inner) => {
                write!(f, "{index}(")?;
                write_list(f, inner)?;
                f.write_str(")")
            }
            Gene::Many(slots) => {
                f.write_str("[")?;
                write_list(f, slots)?;
                f.write_str("]")
            }
            Gene::Int(value) => write!(f, "#{value}"),
            Gene::Float(value) => write!(f, "{value:?}"),
        }
    }
}

impl fmt::Display for Genotype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.0)
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, genes: &[Gene]) -> fmt::Result {
    for (index, gene) in genes.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        write!(f, "{gene}")?;
    }
    Ok(())
}

impl FromStr for Genotype {
    type Err = GenotypeError;

    fn from_str(text: &str) -> Result<Genotype, GenotypeError> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        if reader.peek().is_none() {
            return Ok(Genotype::default());
        }
        let genes = reader.list(Reader::gene)?;
        match reader.peek() {
            None => Ok(Genotype(genes)),
            Some(met) => Err(reader.error(&format!("`,` or the end, not `{met}`"))),
        }
    }
}

impl Serialize for Genotype {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Genotype {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Genotype, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A recursive-descent reader of the grammar above.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), GenotypeError> {
        if self.eat(wanted) {
            return Ok(());
        }
        let met = self.peek().map_or("the end".to_string(), |met| format!("`{met}`"));
        Err(self.error(&format!("`{wanted}`, not {met}")))
    }

    fn error(&self, expected: &str) -> GenotypeError {
        GenotypeError(format!("not a genotype: character {} should be {expected}", self.at + 1))
    }

    /// The error about what was just read.
    fn misfit(&self, met: &str, expected: &str) -> GenotypeError {
        GenotypeError(format!("not a genotype: `{met}`, up to character {}, is no {expected}", self.at))
    }

    fn list(&mut self, item: fn(&mut Self) -> Result<Gene, GenotypeError>) -> Result<Genes, GenotypeError> {
        let mut genes = thin_vec![item(self)?];
        while self.eat(',') {
            genes.push(item(self)?);
        }
        Ok(genes)
    }

    fn gene(&mut self) -> Result<Gene, GenotypeError> {
        match self.peek() {
            Some('#') => self.int(),
            Some('[') => self.many(),
            Some('0'..='9' | '-') => self.choice_or_float(),
            Some(met) => Err(self.error(&format!("a gene, not `{met}`"))),
            None => Err(self.error("a gene, not the end")),
        }
    }

    fn int(&mut self) -> Result<Gene, GenotypeError> {
        self.expect('#')?;
        let word = self.word(|c| c.is_ascii_digit() || c == '-');
        word.parse().map(Gene::Int).map_err(|_| self.error(&format!("a 64-bit integer, not `{word}`")))
    }

    fn many(&mut self) -> Result<Gene, GenotypeError> {
        self.expect('[')?;
        if self.eat(']') {
            return Ok(Gene::Many(Genes::new()));
        }
        let slots = self.list(Self::choice)?;
        self.expect(']')?;
        Ok(Gene::Many(slots))
    }

    fn choice(&mut self) -> Result<Gene, GenotypeError> {
        match self.gene()? {
            gene @ Gene::Choice(..) => Ok(gene),
            other => Err(self.misfit(&other.to_string(), "choice")),
        }
    }

    fn choice_or_float(&mut self) -> Result<Gene, GenotypeError> {
        let word = self.word(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'));
        if word.contains(['.', 'e', 'E']) {
            return match word.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Gene::Float(value)),
                _ => Err(self.misfit(&word, "finite number")),
            };
        }
        let index = word.parse().map_err(|_| self.misfit(&word, "choice such as `0`"))?;
        if !self.eat('(') {
            return Ok(Gene::Choice(index, Genes::new()));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(&format!("nested less: no more than {MAX_DEPTH} deep")));
        }
        let inner = self.list(Self::gene)?;
        self.expect(')')?;
        self.depth -= 1;
        Ok(Gene::Choice(index, inner))
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        self.peek();
        let word: String = self.text[self.at..].chars().take_while(|c| belongs(*c)).collect();
        self.at += word.len();
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gene() -> impl Strategy<Value = Gene> {
        let leaf = prop_oneof![
            any::<u32>().prop_map(|index| Gene::Choice(index, Genes::new())),
            any::<i64>().prop_map(Gene::Int),
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Gene::Float),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let choice = (any::<u32>(), prop::collection::vec(inner, 0..4))
                .prop_map(|(index, genes)| Gene::Choice(index, genes.into()));
            prop_oneof![
                choice.clone(),
                prop::collection::vec(choice, 0..4).prop_map(|slots| Gene::Many(slots.into()))
            ]
        })
    }

    proptest! {
        #[test]
        fn every_genotype_reads_as_written(genes in prop::collection::vec(gene(), 0..6)) {
            let genotype = Genotype(genes.into());
            prop_assert_eq!(genotype.to_string().parse::<Genotype>().unwrap(), genotype);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[0-9#,.()\\[\\] e-]{0,40}") {
            if let Ok(genotype) = text.parse::<Genotype>() {
                prop_assert_eq!(genotype.to_string().parse::<Genotype>().unwrap(), genotype);
            }
        }
    }

    #[test]
    fn says_where_a_text_goes_wrong() {
        let error = |text: &str| text.parse::<Genotype>().unwrap_err().to_string();
        assert_eq!(error("1,x"), "not a genotype: character 3 should be a gene, not `x`");
        assert_eq!(error("1(2"), "not a genotype: character 4 should be `)`, not the end");
        assert_eq!(error("[1,#2]"), "not a genotype: `#2`, up to character 5, is no choice");
        assert_eq!(error("1e999"), "not a genotype: `1e999`, up to character 5, is no finite number");
        assert_eq!(error("1 2"), "not a genotype: character 3 should be `,` or the end, not `2`");
        assert!(error(&"1(".repeat(100_000)).contains("nested less"));
    }
}
