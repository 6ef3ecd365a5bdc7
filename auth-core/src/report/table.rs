//! Tables of texts: aligned for a terminal, and in Markdown. The first row is the header.

use std::iter::repeat_n;

/// Columns next to each other, each as wide as its widest cell.
pub(super) fn text<R: AsRef<[String]>>(rows: &[R]) -> String {
    let widths = widths(rows);
    let line = |row: &R| {
        let cells = row.as_ref().iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// A Markdown table: columns with bars between them. The cells are Markdown: the caller [`escape`]s any other text.
pub(crate) fn markdown<R: AsRef<[String]>>(rows: &[R]) -> String {
    // As wide as the dashes below a header.
    let widths: Vec<usize> = widths(rows).into_iter().map(|width| width.max(3)).collect();
    let line = |row: &R| {
        let cells = row.as_ref().iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let below: Vec<String> = widths.iter().map(|&width| repeat_n('-', width).collect()).collect();
    let below = format!("| {} |\n", below.join(" | "));
    let mut lines = rows.iter().map(line);
    let header = lines.next().unwrap_or_default();
    [header, below].into_iter().chain(lines).collect()
}

fn widths<R: AsRef<[String]>>(rows: &[R]) -> Vec<usize> {
    let mut widths = vec![0; rows.first().map_or(0, |header| header.as_ref().len())];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = cell.chars().count().max(*width);
        }
    }
    widths
}

/// Escapes the characters that would end a cell, or begin markup.
pub(crate) fn escape(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    for character in cell.chars() {
        match character {
            '|' | '\\' | '*' | '_' | '`' | '<' | '[' => escaped.extend(['\\', character]),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escape, markdown, text};

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bb"], ["ccc", ""], ["ä", "d|_"]].map(|row| row.map(str::to_owned));
        assert_eq!(text(&rows), "a    bb\nccc\nä    d|_\n");
        let escaped = rows.map(|row| row.map(|cell| escape(&cell)));
        assert_eq!(
            markdown(&escaped),
            "| a   | bb    |\n| --- | ----- |\n| ccc |       |\n| ä   | d\\|\\_ |\n"
        );
        assert_eq!(text::<[String; 2]>(&[]), "");
    }
}
