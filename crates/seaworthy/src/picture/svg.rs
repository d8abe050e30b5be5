//! What both kinds of SVG documents have in common: the frame, the colours, the width of letters.

use super::escape;

/// Pixels between things.
pub(super) const MARGIN: f64 = 20.0;

/// Returns a document. The colours are named once for light pages and once for dark ones.
pub(super) fn document(title: &str, description: &str, width: f64, height: f64, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n<style>\n{}</style>\n\
         <rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"10\"/>\n{body}</svg>\n",
        escape::xml(title),
        escape::xml(description),
        include_str!("svg.css"),
    )
}

/// Returns the width of a text in pixels, a little generously: fonts differ.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    // Letters beyond Latin, Greek and Cyrillic are as wide as they are high.
    let units = text
        .chars()
        .map(|letter| if u32::from(letter) < 0x1100 { 0.6 } else { 1.0 });
    units.sum::<f64>() * size
}

/// Returns a text cut to a number of letters, with an ellipsis where something is missing.
pub(super) fn cut(text: &str, letters: usize) -> String {
    let text = escape::line(text);
    if text.chars().count() <= letters {
        return text;
    }
    let start: String = text.chars().take(letters.saturating_sub(1)).collect();
    format!("{start}…")
}
