//! Which overload of a function a call means: chosen by the names of its
//! arguments alone.

use std::collections::BTreeMap;

use http::{Method, StatusCode};

use super::{
    catalog::Function,
    error::{ApiError, Result},
    payload::{Body, Payload},
    request::ApiRequest,
};

/// The arguments of a call.
#[derive(Debug)]
pub(super) enum Arguments {
    /// Those of a JSON body.
    Json(Payload),
    /// Those of a query string or a form, with all repetitions.
    Texts(BTreeMap<String, Vec<String>>),
}

impl Arguments {
    /// The arguments that a request brings, less those that `columns` leaves
    /// out.
    pub(super) fn of(request: &ApiRequest) -> Self {
        let pairs = match &request.body {
            Some(Body::Json(payload)) => {
                let mut payload = payload.clone();
                if let Some(columns) = &request.query.columns {
                    payload.keys.retain(|key| columns.contains(key));
                }
                return Self::Json(payload);
            }
            Some(Body::Form(form)) => form,
            None => &request.query.arguments,
        };
        let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            texts.entry(name.clone()).or_default().push(value.clone());
        }
        Self::Texts(texts)
    }

    /// Whether there is an argument of that name, a null too.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Json(payload) => payload.keys.contains(name),
            Self::Texts(texts) => texts.contains_key(name),
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Json(payload) => payload.keys.iter().map(String::as_str).collect(),
            Self::Texts(texts) => texts.keys().map(String::as_str).collect(),
        }
    }
}

/// The one overload that takes exactly these arguments, else the one that takes
/// the body as a whole.
pub(super) fn choose<'a>(
    request: &ApiRequest,
    overloads: &'a [Function],
    arguments: &Arguments,
) -> Result<&'a Function> {
    let named: Vec<&Function> = overloads
        .iter()
        .filter(|function| takes(function, arguments))
        .collect();
    match named.as_slice() {
        [function] => return Ok(function),
        [] => {}
        several => return Err(ambiguous(request, several)),
    }
    let whole: Vec<&Function> = overloads
        .iter()
        .filter(|function| takes_whole_body(function))
        .collect();
    match (arguments, whole.as_slice()) {
        (Arguments::Json(_), [function]) => Ok(function),
        (Arguments::Json(_), [_, _, ..]) => Err(ambiguous(request, &whole)),
        _ => Err(unknown(request, arguments)),
    }
}

/// Whether the only parameter is JSON without a name.
pub(super) fn takes_whole_body(function: &Function) -> bool {
    matches!(
        function.parameters.as_slice(),
        [only] if only.name.is_empty() && matches!(only.sql_type.as_str(), "json" | "jsonb")
    )
}

/// Whether every required parameter is given and nothing else is.
fn takes(function: &Function, arguments: &Arguments) -> bool {
    let complete = function
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .all(|parameter| !parameter.name.is_empty() && arguments.has(&parameter.name));
    complete
        && arguments.names().iter().all(|name| {
            function
                .parameters
                .iter()
                .any(|parameter| parameter.name == *name)
        })
}

/// No overload takes these arguments, or there is none at all.
pub(super) fn unknown(request: &ApiRequest, arguments: &Arguments) -> ApiError {
    let function = format!("{}.{}", request.schema, request.name);
    let names = arguments.names();
    let list = names.join(", ");
    let (called, searched) = match names.len() {
        0 => (
            " without parameters".to_owned(),
            " without parameters".to_owned(),
        ),
        1 => (format!("({list})"), format!(" with parameter {list}")),
        _ => (format!("({list})"), format!(" with parameters {list}")),
    };
    let or_whole = match arguments {
        Arguments::Json(_) if request.method == Method::POST => {
            " or with a single unnamed json/jsonb parameter"
        }
        _ => "",
    };
    ApiError::new(
        StatusCode::NOT_FOUND,
        "PGRST202",
        format!("Could not find the function {function}{called} in the schema cache"),
    )
    .details(format!(
        "Searched for the function {function}{searched}{or_whole}, but no matches were found in the schema cache."
    ))
}

fn ambiguous(request: &ApiRequest, functions: &[&Function]) -> ApiError {
    let signatures: Vec<String> = functions
        .iter()
        .map(|function| {
            let parameters: Vec<String> = function
                .parameters
                .iter()
                .map(|parameter| format!("{} => {}", parameter.name, parameter.sql_type))
                .collect();
            format!(
                "{}.{}({})",
                request.schema,
                request.name,
                parameters.join(", ")
            )
        })
        .collect();
    ApiError::new(
        StatusCode::MULTIPLE_CHOICES,
        "PGRST203",
        format!(
            "Could not choose the best candidate function between: {}",
            signatures.join(", ")
        ),
    )
    .hint(
        "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    )
}
