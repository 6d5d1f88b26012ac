//! The words and tables of the report.

use super::{Left, svg};
use crate::table::{
    self,
    digits::{clean, percent},
};
use std::fmt::Write;
use veilgrid_api::{
    amount::{Delta, Epsilon},
    job::Protocol,
    plan::PlanParty,
};
use veilgrid_party::{
    decode::{Answer, Answers, Kind},
    receipt::Receipt,
};

/// Colours of parts of a bar; they come round again.
const COLOURS: usize = 6;

/// More groups than this have their figures in the plot only.
pub(super) const HEADLINES: usize = 3;

/// Text that is safe between tags and in quoted attributes, and that steers nothing.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            _ => escaped.push(c),
        }
    }
    escaped
}

/// `a, b and c`, escaped.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("<b>{}</b>", escape(name))).collect();
    match &names[..] {
        [] => "nobody".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A delta as people write it, exact on demand.
fn delta(delta: Delta) -> String {
    format!("<span title=\"{delta}\">{:e}</span>", delta.to_f64())
}

/// The first and last digits of a key, a hash or a signature, and all of it on demand.
fn short(digits: &str) -> String {
    let count = digits.chars().count();
    let shown = if count > 20 {
        let ends = digits.chars().take(8).chain(['…']).chain(digits.chars().skip(count - 8));
        ends.collect::<String>()
    } else {
        digits.to_owned()
    };
    format!("<code title=\"{}\">{}</code>", escape(digits), escape(&shown))
}

/// The title of the page, and what was asked by whom.
pub(super) fn header(job: &str, answers: &Answers, receipt: &Receipt) -> String {
    let plan = &receipt.plan;
    let recipients = plan
        .recipients
        .iter()
        .filter_map(|index| plan.parties.get(*index as usize))
        .map(|party| party.name.as_str());
    let count = answers.statistics.len();
    format!(
        "<header>\n<p class=\"over\">Veilgrid · private statistics</p>\n<h1>{job}</h1>\n\
         <p class=\"lede\">{} asked {count} question{} of their rows together. No party saw a row or an exact sum of another. \
         The noised answers below were opened to {}, for epsilon {} and delta {} of each dataset's budget.</p>\n</header>\n",
        listed(answers.parties.iter().map(String::as_str)),
        if count == 1 { "" } else { "s" },
        listed(recipients),
        answers.epsilon,
        delta(answers.delta),
    )
}

/// How intervals are to be read.
pub(super) fn reading(answers: &Answers) -> String {
    format!(
        "<p class=\"reading\">Each answer carries noise, which limits what it tells of any one row or person. Its interval holds the exact figure over \
         the parties' rows with {} probability; it says nothing of how these rows were drawn.</p>\n",
        percent(answers.confidence)
    )
}

/// What a statistic asks, in words.
pub(super) fn question(answer: &Answer) -> String {
    let column = answer.column.as_deref().map(|name| format!("<b>{}</b>", escape(name))).unwrap_or_default();
    let mut words = match answer.kind {
        Kind::Count => "rows".to_owned(),
        Kind::Sum => format!("sum of {column}"),
        Kind::Mean => format!("mean of {column}"),
        Kind::Variance => format!("variance of {column}"),
        Kind::Histogram => format!("histogram of {column}"),
        Kind::Quantiles => format!("quantiles of {column}"),
    };
    if let Some(filter) = &answer.filter {
        let _ = write!(words, " where <b>{}</b>", escape(filter));
    }
    if let Some(group) = &answer.group_by {
        let _ = write!(words, " by <b>{}</b>", escape(group));
    }
    words
}

/// The figures of a plot of points, large enough to be read first; of many, the plot itself tells.
pub(super) fn headline(answer: &Answer) -> String {
    if matches!(answer.kind, Kind::Histogram | Kind::Quantiles) || answer.groups.len() > HEADLINES {
        return String::new();
    }
    let mut text = String::from("<dl class=\"headline\">\n");
    for group in &answer.groups {
        for value in &group.values {
            let [figure, low, high] = table::figures(answer.kind, value);
            let word = group.group.as_deref().map(escape).unwrap_or_else(|| "all rows".into());
            let _ = writeln!(
                text,
                "<div><dt>{word}</dt><dd><strong>{figure}</strong> <span>{low} to {high}</span></dd></div>"
            );
        }
    }
    text + "</dl>\n"
}

/// Every number of the result.
pub(super) fn figures(answers: &Answers) -> String {
    let mut text = format!(
        "<section aria-labelledby=\"figures\">\n<h2 id=\"figures\">All figures</h2>\n<div class=\"scroll\"><table>\n\
         <thead><tr><th scope=\"col\">statistic</th><th scope=\"col\">group</th><th scope=\"col\">of</th>\
         <th scope=\"col\" class=\"n\">value</th><th scope=\"col\" class=\"n\">{} interval</th>\
         <th scope=\"col\" class=\"n\">epsilon</th></tr></thead>\n",
        percent(answers.confidence)
    );
    for answer in &answers.statistics {
        text += "<tbody>\n";
        let mut head = true;
        for group in &answer.groups {
            for (index, (value, part)) in group.values.iter().zip(table::parts(&group.values)).enumerate() {
                let [figure, low, high] = table::figures(answer.kind, value);
                let word = group.group.as_deref().filter(|_| index == 0).map(escape).unwrap_or_default();
                let (name, epsilon) = if head {
                    (escape(&answer.name), answer.epsilon.to_string())
                } else {
                    (String::new(), String::new())
                };
                head = false;
                let _ = writeln!(
                    text,
                    "<tr><td>{name}</td><td>{word}</td><td class=\"of\">{part}</td><td class=\"n\">{figure}</td>\
                     <td class=\"n\">{low} to {high}</td><td class=\"n\">{epsilon}</td></tr>"
                );
            }
        }
        text += "</tbody>\n";
    }
    text + "</table></div>\n</section>\n"
}

/// What the answers cost: epsilon by statistic, and each party's budget.
pub(super) fn privacy(answers: &Answers, receipt: &Receipt, left: &[Left]) -> String {
    let parts: Vec<_> = answers
        .statistics
        .iter()
        .enumerate()
        .map(|(index, answer)| {
            let name = format!("{}: epsilon {}", answer.name, answer.epsilon);
            (answer.epsilon.to_f64(), format!("c{}", index % COLOURS), name)
        })
        .collect();
    let mut text = format!(
        "<section aria-labelledby=\"privacy\">\n<h2 id=\"privacy\">What it cost</h2>\n\
         <p>Epsilon {} of each dataset's budget, split over the statistics by their weights, and delta {}.</p>\n{}<ol class=\"legend\">\n",
        answers.epsilon,
        delta(answers.delta),
        svg::split("split", "Epsilon by statistic", &parts, answers.epsilon.to_f64()),
    );
    for (answer, (_, class, _)) in answers.statistics.iter().zip(&parts) {
        let _ = writeln!(
            text,
            "<li><i class=\"{class}\"></i><span>{}</span> <b>{}</b></li>",
            escape(&answer.name),
            answer.epsilon
        );
    }
    text += "</ol>\n";
    if !left.is_empty() {
        text += "<h3>Budgets after this run</h3>\n<div class=\"budgets\">\n";
        for (index, (party, left)) in receipt.plan.parties.iter().zip(left).enumerate() {
            text += &budget(index, party, answers.epsilon, left);
        }
        text += "</div>\n";
    }
    text + "</section>\n"
}

/// A party's budget: what was used before, by this run, and what is left.
fn budget(index: usize, party: &PlanParty, charged: Epsilon, left: &Left) -> String {
    let before = left.total.saturating_sub(left.left).saturating_sub(charged);
    let title = format!("{}: {left} is left", party.name);
    let parts = [
        (before.to_f64(), "before".to_owned(), format!("before this run: epsilon {before}")),
        (charged.to_f64(), "now".to_owned(), format!("this run: epsilon {charged}")),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(part, ..)| *part > 0.0).collect();
    format!(
        "<div><p><b>{}</b> <span>{} used before, {charged} now, {} of {} left</span></p>\n{}</div>\n",
        escape(&party.name),
        before,
        left.left,
        left.total,
        svg::split(&format!("b{index}"), &title, &parts, left.total.to_f64()),
    )
}

/// The plan, who signed it, and how to check that.
pub(super) fn agreement(receipt: &Receipt) -> String {
    let plan = &receipt.plan;
    let protocol = match plan.protocol {
        Protocol::Additive => "additive shares; all parties but one may work together and learn no more",
    };
    let mut text = format!(
        "<section aria-labelledby=\"agreement\">\n<h2 id=\"agreement\">Who agreed</h2>\n<dl class=\"facts\">\n\
         <div><dt>plan</dt><dd>{}</dd></div>\n<div><dt>result</dt><dd>{}</dd></div>\n<div><dt>run</dt><dd><code>{}</code></dd></div>\n\
         <div><dt>protocol</dt><dd>{protocol}</dd></div>\n</dl>\n<div class=\"scroll\"><table>\n<thead><tr>",
        whole(&receipt.plan_hash),
        whole(&receipt.result.hash),
        escape(&plan.run),
    );
    for head in
        ["party", "dataset", "unit of privacy", "public key", "signed plan", "signed charge", "signed result"]
    {
        let _ = write!(text, "<th scope=\"col\">{head}</th>");
    }
    text += "</tr></thead>\n<tbody>\n";
    for party in &plan.parties {
        let name = &party.name;
        let signed = receipt.signatures.iter().find(|signed| signed.party == *name);
        let charged = receipt.charges.iter().find(|charged| charged.party == *name);
        let released = receipt.result.signatures.iter().find(|signed| signed.party == *name);
        let cells = [
            signed.map(|signed| &signed.public_key),
            signed.map(|signed| &signed.signature),
            charged.map(|charged| &charged.signature),
            released.map(|released| &released.signature),
        ];
        let unit = party.person.as_ref().map_or_else(
            || "a row".to_owned(),
            |person| format!("a person of {}, {} rows at most", escape(&person.column), person.max_rows),
        );
        let _ = write!(
            text,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{unit}</td>",
            escape(name),
            escape(&party.dataset)
        );
        for cell in cells {
            let _ = write!(text, "<td>{}</td>", cell.map_or_else(|| "none".into(), |digits| short(digits)));
        }
        text += "</tr>\n";
    }
    text + "</tbody>\n</table></div>\n\
            <p class=\"note\">This page proves nothing by itself. To check every hash and signature, keep the files that lie beside it and run \
            <code>veilgrid verify receipt.json --result result.json</code>.</p>\n</section>\n"
}

/// A hash in full; it wraps where it must.
fn whole(digits: &str) -> String {
    format!("<code class=\"hash\">{}</code>", escape(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_only_text() {
        assert_eq!(
            escape("<a href='x' title=\"y\">&"),
            "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;"
        );
        assert_eq!(escape("a\u{202e}b\u{0}\n"), "a\u{fffd}b\u{fffd}\u{fffd}");
    }

    #[test]
    fn keys_are_shortened_and_whole_in_their_titles() {
        let key = "0123456789abcdef".repeat(4);
        assert_eq!(short(&key), format!("<code title=\"{key}\">01234567…89abcdef</code>"));
        assert_eq!(short("<é>"), "<code title=\"&lt;é&gt;\">&lt;é&gt;</code>");
    }

    #[test]
    fn names_are_listed() {
        assert_eq!(listed(["a", "<", "c"].into_iter()), "<b>a</b>, <b>&lt;</b> and <b>c</b>");
        assert_eq!(listed(["a"].into_iter()), "<b>a</b>");
        assert_eq!(listed([].into_iter()), "nobody");
    }
}
