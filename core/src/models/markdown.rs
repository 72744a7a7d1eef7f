//! The model table as docs/models.md shows it.

use super::spec::megabytes;
use super::{Commercial, MODELS, ModelSpec};

/// The model table in Markdown, one row a model, ending in a line break.
#[must_use]
pub fn models_markdown() -> String {
    let head = "| model | for | input | size | licence | commercial use |\n|---|---|---|---|---|---|\n";
    MODELS.iter().fold(head.to_owned(), |table, spec| table + &row(spec))
}

fn row(spec: &ModelSpec) -> String {
    let ModelSpec { name, summary, recipe, size, license, license_source, .. } = spec;
    let commercial = match spec.commercial {
        Commercial::Allowed => "allowed".to_owned(),
        Commercial::Unclear { why, source } => format!("[unclear]({source}): {why}"),
        Commercial::Forbidden => "**forbidden**".to_owned(),
    };
    let (width, height, size) = (recipe.width, recipe.height, megabytes(*size));
    format!("| `{name}` | {summary} | {width}×{height} | {size} | [{license}]({license_source}) | {commercial} |\n")
}
