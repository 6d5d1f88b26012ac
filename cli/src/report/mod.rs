//! The report: one HTML file that a person reads, offline, on a screen or on paper.
//!
//! It holds no script and names no address, and its content policy forbids both, so a name in a manifest can do nothing.

mod axis;
mod html;
#[cfg(test)]
pub(crate) mod sample;
mod style;
mod svg;

use html::escape;
use std::fmt;
use veilgrid_api::amount::Epsilon;
use veilgrid_party::{
    decode::{Answer, Answers, Kind},
    receipt::Receipt,
};

/// What is left of a party's budget after the run.
pub(crate) struct Left {
    /// The budget in all.
    pub(crate) total: Epsilon,
    /// Neither spent nor reserved.
    pub(crate) left: Epsilon,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epsilon {} of {}", self.left, self.total)
    }
}

/// The page of a finished run. `left` is in the order of the plan's parties; of those beyond its end nothing is said.
pub(crate) fn render(answers: &Answers, receipt: &Receipt, left: &[Left]) -> String {
    let job = escape(answers.job.strip_prefix("default/").unwrap_or(&answers.job));
    let cards: String =
        answers.statistics.iter().enumerate().map(|(index, answer)| card(index, answer)).collect();
    [
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
        &format!("<title>{job} · Veilgrid</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n", style::STYLE),
        &html::header(&job, answers, receipt),
        "<section aria-labelledby=\"answers\">\n<h2 id=\"answers\">Answers</h2>\n",
        &html::reading(answers),
        &format!("<div class=\"cards\">\n{cards}</div>\n</section>\n"),
        &html::figures(answers),
        &html::privacy(answers, receipt, left),
        &html::agreement(receipt),
        "</main>\n</body>\n</html>\n",
    ]
    .concat()
}

/// One statistic: what was asked, and its plot.
fn card(index: usize, answer: &Answer) -> String {
    let id = format!("s{index}");
    let (plots, note) = match answer.kind {
        Kind::Histogram => (
            svg::histograms(&id, answer),
            "Rows of each bin. The outermost bins also hold what lies beyond their edges; an estimate may be below zero.",
        ),
        Kind::Quantiles => (svg::quantiles(&id, answer), "Share of rows below a value."),
        _ => (vec![svg::points(&id, answer)], ""),
    };
    let wide = if plots.len() > 1 { " wide" } else { "" };
    let grouped = answer.groups.iter().map(|group| group.group.as_deref());
    let plots: String = if plots.len() > 1 {
        let named = plots.iter().zip(grouped).map(|(plot, word)| {
            format!("<div><h4>{}</h4>\n{plot}</div>\n", escape(word.unwrap_or("all rows")))
        });
        format!("<div class=\"multiples\">\n{}</div>\n", named.collect::<String>())
    } else {
        plots.concat()
    };
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{note}</p>\n") };
    format!(
        "<figure class=\"card{wide}\">\n<figcaption><h3>{}</h3><span class=\"cost\">epsilon {}</span>\n<p>{}</p></figcaption>\n\
         {}{plots}{note}</figure>\n",
        escape(&answer.name),
        answer.epsilon,
        html::question(answer),
        html::headline(answer),
    )
}

#[cfg(test)]
mod tests;
