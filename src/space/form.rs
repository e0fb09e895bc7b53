//! Hyper values as they are written: their forms, read and checked.

use super::hyper::Scale;
use super::label::label;
use crate::error::Problem;
use crate::symbolic::{Fields, Kind, Name, Object, Origin, Value, nearest};

/// A hyper value as written, its arguments checked.
#[derive(Debug)]
pub(super) enum Hyper<'a> {
    OneOf(&'a [Value]),
    Prefix { min: usize, of: &'a [Value] },
    Many { k: usize, of: &'a [Value], distinct: bool, sorted: bool },
    Int { low: i64, high: i64 },
    Float { low: f64, high: f64, scale: Scale },
    Ref(&'a Name),
    Fresh(&'a Name),
}

/// The reserved names, each with the names of its arguments.
const FORMS: [(&str, &[&str]); 8] = [
    ("OneOf", &["of", "name"]),
    ("ManyOf", &["k", "of", "distinct", "sorted", "name"]),
    ("Permutation", &["of", "name"]),
    ("Int", &["low", "high", "name"]),
    ("Float", &["low", "high", "scale", "name"]),
    ("Prefix", &["min", "of", "name"]),
    ("Ref", &["piece"]),
    ("Fresh", &["piece"]),
];

/// Whether an object's name is reserved for hyper values.
pub(super) fn is_hyper(value: &Value) -> bool {
    object_of(value).is_some()
}

fn object_of(value: &Value) -> Option<(&Object, &'static str, &'static [&'static str])> {
    let Kind::Object(object) = &value.kind else { return None };
    let name = object.name.as_deref()?;
    let (form, parameters) = FORMS.iter().find(|(form, _)| *form == name)?;
    Some((object, form, parameters))
}

/// A value as a hyper value with its own name, if it is one; the problems of its arguments, if they are wrong.
pub(super) fn read(value: &Value) -> Option<Result<(Hyper<'_>, Option<&Name>), Problem>> {
    let (object, form, parameters) = object_of(value)?;
    Some(Arguments::new(value.origin, form, parameters, &object.fields).and_then(|arguments| {
        let name = arguments.optional("name").map(|_| arguments.text("name")).transpose()?;
        Ok((arguments.hyper()?, name))
    }))
}

/// The arguments of a hyper value by name, however they were written.
struct Arguments<'a> {
    form: &'static str,
    origin: Origin,
    given: Vec<(&'static str, &'a Value)>,
}

impl<'a> Arguments<'a> {
    fn new(
        origin: Origin,
        form: &'static str,
        parameters: &'static [&'static str],
        fields: &'a Fields,
    ) -> Result<Self, Problem> {
        let given = match fields {
            Fields::Unit => Vec::new(),
            Fields::Items(items) => positional(form, parameters, items)?,
            Fields::Named(fields) => named(form, parameters, fields)?,
        };
        Ok(Arguments { form, origin, given })
    }

    fn optional(&self, name: &str) -> Option<&'a Value> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }

    fn required(&self, name: &str) -> Result<&'a Value, Problem> {
        self.optional(name).ok_or_else(|| {
            Problem::new(self.origin, format!("{} needs `{name}`", self.form)).help(usage(self.form))
        })
    }

    fn hyper(&self) -> Result<Hyper<'a>, Problem> {
        match self.form {
            "OneOf" => Ok(Hyper::OneOf(self.candidates()?)),
            "Permutation" => {
                let of = self.candidates()?;
                Ok(Hyper::Many { k: of.len(), of, distinct: true, sorted: false })
            }
            "ManyOf" => self.many_of(),
            "Prefix" => self.prefix(),
            "Int" => self.int_range(),
            "Float" => self.float_range(),
            "Ref" => Ok(Hyper::Ref(self.text("piece")?)),
            _ => Ok(Hyper::Fresh(self.text("piece")?)),
        }
    }

    fn many_of(&self) -> Result<Hyper<'a>, Problem> {
        let (k, of) = (self.count("k")?, self.candidates()?);
        let (distinct, sorted) = (self.flag("distinct")?, self.flag("sorted")?);
        if distinct && k > of.len() {
            let message = format!("ManyOf asks for {k} distinct candidates and has {}", of.len());
            return Err(Problem::new(self.required("k")?.origin, message)
                .help(format!("lower k to {} or drop `distinct`", of.len())));
        }
        Ok(Hyper::Many { k, of, distinct, sorted })
    }

    fn prefix(&self) -> Result<Hyper<'a>, Problem> {
        let min = self.count("min")?;
        let of = self.list("of")?;
        if min > of.len() {
            let message = format!("Prefix asks for at least {min} elements and has {}", of.len());
            return Err(Problem::new(self.required("min")?.origin, message));
        }
        Ok(Hyper::Prefix { min, of })
    }

    fn int_range(&self) -> Result<Hyper<'a>, Problem> {
        let (low, high) = (self.integer("low")?, self.integer("high")?);
        if low > high {
            return Err(self.low_above_high(low, high));
        }
        Ok(Hyper::Int { low, high })
    }

    fn float_range(&self) -> Result<Hyper<'a>, Problem> {
        let (low, high) = (self.number("low")?, self.number("high")?);
        let scale = self.scale()?;
        if low > high {
            return Err(self.low_above_high(low, high));
        }
        if !(high - low).is_finite() {
            return Err(Problem::new(self.origin, format!("Float from {low:?} to {high:?} is too wide")));
        }
        if scale != Scale::Linear && low <= 0.0 {
            let message = format!("Float with scale {scale:?} needs low above 0, got {low:?}");
            return Err(Problem::new(self.required("low")?.origin, message)
                .help("start from a small positive number such as 1e-6, or drop the scale"));
        }
        Ok(Hyper::Float { low, high, scale })
    }

    fn low_above_high(&self, low: impl std::fmt::Debug, high: impl std::fmt::Debug) -> Problem {
        Problem::new(self.origin, format!("{} has low {low:?} above high {high:?}", self.form))
            .help("swap the two")
    }

    /// At least one candidate.
    fn candidates(&self) -> Result<&'a [Value], Problem> {
        let of = self.list("of")?;
        if of.is_empty() {
            let origin = self.required("of")?.origin;
            return Err(Problem::new(origin, format!("{} has no candidates", self.form))
                .help("give at least one candidate between the brackets"));
        }
        Ok(of)
    }

    fn list(&self, name: &str) -> Result<&'a [Value], Problem> {
        let value = self.required(name)?;
        match &value.kind {
            Kind::List(items) => Ok(items),
            _ => Err(self.wrong(name, "a list `[..]`", value)),
        }
    }

    fn count(&self, name: &str) -> Result<usize, Problem> {
        let value = self.required(name)?;
        match value.kind {
            // More would not be a search space but a mistake, and a list of this many slots is made for it.
            Kind::Int(count) if (0..=10_000).contains(&count) => Ok(count as usize),
            _ => Err(self.wrong(name, "a whole number from 0 to 10000", value)),
        }
    }

    fn integer(&self, name: &str) -> Result<i64, Problem> {
        let value = self.required(name)?;
        match value.kind {
            Kind::Int(number) => {
                i64::try_from(number).map_err(|_| self.wrong(name, "an integer of 64 bits", value))
            }
            _ => Err(self.wrong(name, "an integer", value)),
        }
    }

    fn number(&self, name: &str) -> Result<f64, Problem> {
        let value = self.required(name)?;
        match value.kind {
            Kind::Int(number) => Ok(number as f64),
            Kind::Float(number) if number.is_finite() => Ok(number),
            _ => Err(self.wrong(name, "a finite number", value)),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.optional(name) {
            None => Ok(false),
            // A bare word: `ManyOf(2, [..], distinct)`.
            Some(value) if unit_name(value) == Some(name) => Ok(true),
            Some(Value { kind: Kind::Bool(flag), .. }) => Ok(*flag),
            Some(value) => Err(self.wrong(name, "true or false", value)),
        }
    }

    fn scale(&self) -> Result<Scale, Problem> {
        let Some(value) = self.optional("scale") else { return Ok(Scale::Linear) };
        match unit_name(value) {
            Some("Linear") => Ok(Scale::Linear),
            Some("Log") => Ok(Scale::Log),
            Some("ReverseLog") => Ok(Scale::ReverseLog),
            met => {
                let problem = self.wrong("scale", "Linear, Log or ReverseLog", value);
                let best = met.and_then(|met| nearest(met, ["Linear", "Log", "ReverseLog"]));
                Err(match best {
                    Some(best) => problem.help(format!("did you mean `{best}`?")),
                    None => problem,
                })
            }
        }
    }

    fn text(&self, name: &str) -> Result<&'a Name, Problem> {
        let value = self.required(name)?;
        match &value.kind {
            Kind::Str(text) => Ok(text),
            _ => Err(self.wrong(name, "a text in quotes", value)),
        }
    }

    fn wrong(&self, name: &str, expected: &str, met: &Value) -> Problem {
        let met_text = label(met);
        Problem::new(met.origin, format!("`{name}` of {} is {expected}, not `{met_text}`", self.form))
            .help(usage(self.form))
    }
}

fn positional<'a>(
    form: &'static str,
    parameters: &'static [&'static str],
    items: &'a [Value],
) -> Result<Vec<(&'static str, &'a Value)>, Problem> {
    let mut given: Vec<(&'static str, &Value)> = Vec::new();
    for item in items {
        let flag = parameters
            .iter()
            .find(|name| matches!(**name, "distinct" | "sorted") && unit_name(item) == Some(**name));
        let next =
            parameters.iter().find(|name| **name != "name" && !given.iter().any(|(had, _)| had == *name));
        match flag.or(next) {
            Some(name) if !given.iter().any(|(had, _)| had == name) => given.push((name, item)),
            _ => {
                let message = format!("{form} has too many arguments");
                return Err(Problem::new(item.origin, message).help(usage(form)));
            }
        }
    }
    Ok(given)
}

fn named<'a>(
    form: &'static str,
    parameters: &'static [&'static str],
    fields: &'a [(Name, Value)],
) -> Result<Vec<(&'static str, &'a Value)>, Problem> {
    let mut given = Vec::new();
    for (name, value) in fields {
        let Some(parameter) = parameters.iter().find(|parameter| **parameter == &**name) else {
            let problem = Problem::new(value.origin, format!("{form} has no argument `{name}`"));
            let best = nearest(name, parameters.iter().copied());
            return Err(problem.help(best.map_or(usage(form), |best| format!("did you mean `{best}`?"))));
        };
        given.push((*parameter, value));
    }
    Ok(given)
}

fn usage(form: &str) -> String {
    let usage = match form {
        "OneOf" => "OneOf([a, b, ..])",
        "ManyOf" => "ManyOf(k, [a, b, ..]), then `distinct`, `sorted` where wanted",
        "Permutation" => "Permutation([a, b, ..])",
        "Int" => "Int(low, high)",
        "Float" => "Float(low, high) or Float(low, high, Log)",
        "Prefix" => "Prefix(min, [a, b, ..])",
        "Ref" => "Ref(\"name of a piece in `let`\")",
        _ => "Fresh(\"name of a piece in `let`\")",
    };
    format!("write {usage}")
}

fn unit_name(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::Object(object) if object.fields == Fields::Unit => object.name.as_deref(),
        _ => None,
    }
}
