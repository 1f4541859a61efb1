//! Markdown that is fit for a comment: what matters first, the rest folded, never too long.
//!
//! Text that others wrote stands in code only: [`code`] within a line, [`Comment::section`]
//! in fenced blocks. There no markup, link, mention or HTML is read, so nothing else needs
//! escaping, and nothing can be forgotten. What is written outside of them is our own words.

use std::fmt::Write as _;

use super::text::{safe, safe_lines, truncate};

/// Most characters of a comment: the platforms take about 65,000.
pub(crate) const LIMIT: usize = 60_000;
/// Kept free for the notes that say what was cut.
const RESERVE: usize = 3_000;
/// Most characters of one item: a long value is cut, so that it leaves room for others.
const ITEM: usize = 6_000;
/// Most columns of a text within a line.
const INLINE: usize = 200;

/// The text as code within a line, cut to 200 columns; deceptive characters are spelled out.
#[must_use]
pub(crate) fn code(text: &str) -> String {
    let text = safe(text);
    let text = truncate(&text, INLINE);
    let fence = "`".repeat(longest_run(&text) + 1);
    if text.trim().is_empty() {
        return format!("{fence}{}{fence}", if text.is_empty() { "(empty)" } else { &text });
    }
    // A blank at both ends is taken off again, so that there may be a backtick or a blank.
    let edge = |c: Option<char>| matches!(c, Some('`' | ' '));
    let pad = if edge(text.chars().next()) || edge(text.chars().last()) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A comment in the making.
#[derive(Debug)]
pub(crate) struct Comment {
    text: String,
    used: usize,
}

impl Comment {
    /// Begins with the title and the summary: our own words, or [`code`].
    #[must_use]
    pub(crate) fn new(title: &str, summary: &str) -> Self {
        let text = format!("### {title}\n\n**{summary}**\n");
        Self { used: text.chars().count(), text }
    }

    /// A paragraph of our own words, or [`code`].
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.push(&format!("\n{text}\n"));
    }

    /// `total` items below a title of our own words, folded unless `open`, in the colors of
    /// `language`; as many as there is room for, and how many were left out.
    pub(crate) fn section(
        &mut self,
        title: &str,
        (open, language): (bool, &str),
        total: usize,
        items: impl IntoIterator<Item = String>,
    ) {
        if total == 0 {
            return;
        }
        let mut body = String::new();
        // The frame around it, with a fence that is no longer than an item may make it.
        let mut room = (LIMIT - RESERVE).saturating_sub(self.used + title.chars().count() + 150);
        let mut shown = 0;
        for item in items {
            let item = safe_lines(&item);
            let item = clip(item.strip_suffix('\n').unwrap_or(&item));
            let item = if language == "diff" { signs_first(&item) } else { item };
            let Some(rest) = room.checked_sub(item.chars().count() + 1) else { break };
            room = rest;
            body.push_str(&item);
            body.push('\n');
            shown += 1;
        }
        if shown == 0 {
            self.push(&format!("\n**{title}**: no room to show them here.\n"));
            return;
        }
        let body = body.trim_end_matches('\n');
        let fence = "`".repeat(body.lines().map(leading_run).max().unwrap_or(0).max(2) + 1);
        let open = if open { " open" } else { "" };
        self.push(&format!("\n<details{open}><summary>{title}</summary>\n\n"));
        self.push(&format!("{fence}{language}\n{body}\n{fence}\n"));
        self.push("\n</details>\n");
        if shown < total {
            self.push(&format!(
                "\n**{title}, of which {} are left out here:** a comment holds 60,000 characters.\n",
                total - shown
            ));
        }
    }

    /// The comment: at most [`LIMIT`] characters.
    #[must_use]
    pub(crate) fn finish(self) -> String {
        if self.used <= LIMIT {
            return self.text;
        }
        // Only fences longer than any text that we know of can lead here.
        "### Fleetform\n\nThe result does not fit a comment: see it with `--output text`.\n".into()
    }

    fn push(&mut self, text: &str) {
        self.used += text.chars().count();
        self.text.push_str(text);
    }
}

fn leading_run(line: &str) -> usize {
    let line = line.trim_start();
    line.len() - line.trim_start_matches('`').len()
}

/// Lines that came or went get their sign in the first column: only there it is colored.
fn signs_first(item: &str) -> String {
    const INDENT: &str = "        ";
    let lines = item.lines().map(|line| match line.strip_prefix(INDENT) {
        Some(rest) if rest.starts_with(['+', '-']) => {
            format!("{}{INDENT}{}", &rest[..1], &rest[1..])
        }
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn clip(item: &str) -> String {
    let Some((end, _)) = item.char_indices().nth(ITEM) else { return item.to_owned() };
    let mut text = item[..end].to_owned();
    // Writing to a String cannot fail.
    let _ = write!(text, "\n… ({} more characters)", item[end..].chars().count());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cannot_be_left() {
        for (text, shown) in [
            ("plain", "`plain`"),
            ("a`b", "``a`b``"),
            (" a", "`  a `"),
            ("``", "``` `` ```"),
            ("", "`(empty)`"),
            ("<b>@all</b>\n# x", "`<b>@all</b>\\n# x`"),
            ("a\u{202e}b", "`a\\u{202e}b`"),
        ] {
            assert_eq!(code(text), shown);
        }
        let long = code(&"`x".repeat(300));
        assert!(
            long.chars().count() < 210 && long.ends_with("… ``") || long.ends_with("…``"),
            "{long}"
        );
    }

    #[test]
    fn a_block_cannot_be_left() {
        let mut comment = Comment::new("T", "S");
        let hostile = "```\n</details>\n   ````\n::error::x\r\u{1b}[2J";
        comment.section("One", (true, "diff"), 1, [hostile.to_owned()]);
        assert_eq!(
            comment.finish(),
            "### T\n\n**S**\n\n<details open><summary>One</summary>\n\n`````diff\n```\n</details>\n   \
             ````\n::error::x\\r\\u{1b}[2J\n`````\n\n</details>\n"
        );
    }

    #[test]
    fn what_came_and_went_is_marked_in_the_first_column() {
        let item = "~ changed  a\n      apps:\n          - VPN\n        + - Mail\n        -   x: 1";
        assert_eq!(
            signs_first(item),
            "~ changed  a\n      apps:\n          - VPN\n+         - Mail\n-           x: 1"
        );
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut comment = Comment::new("T", "S");
        let items = (0..10_000).map(|n| format!("line {n}: é"));
        comment.section("Many", (false, "text"), 10_000, items);
        comment.section("More", (false, "text"), 3, ["x".repeat(5_000)]);
        let text = comment.finish();
        assert!(text.chars().count() <= LIMIT, "{}", text.chars().count());
        let shown = text.matches("line ").count();
        assert!(shown > 3_000);
        assert!(
            text.contains(&format!("**Many, of which {} are left out here:**", 10_000 - shown))
        );
        assert!(text.contains("**More**: no room"));
    }

    #[test]
    fn a_long_item_leaves_room_for_others() {
        let mut comment = Comment::new("T", "S");
        comment.section("Two", (false, "text"), 2, ["x".repeat(100_000), "end".to_owned()]);
        let text = comment.finish();
        assert!(text.contains("… (94000 more characters)\nend\n"), "{}", text.len());
    }
}
