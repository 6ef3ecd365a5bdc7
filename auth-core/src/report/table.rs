//! Tables of texts: aligned for a terminal, and in Markdown. The first row is the header.

use std::iter::repeat_n;

/// Columns next to each other, each as wide as its widest cell.
pub(super) fn text<const N: usize>(rows: &[[String; N]]) -> String {
    let widths = widths(rows);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// The same with bars in between.
pub(crate) fn markdown<const N: usize>(rows: &[[String; N]]) -> String {
    let escaped: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| escape(cell))).collect();
    let widths = widths(&escaped);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let below: Vec<String> = widths.iter().map(|width| repeat_n('-', (*width).max(3)).collect()).collect();
    let below = format!("| {} |\n", below.join(" | "));
    let mut lines = escaped.iter().map(line);
    let header = lines.next().unwrap_or_default();
    [header, below].into_iter().chain(lines).collect()
}

fn widths<const N: usize>(rows: &[[String; N]]) -> [usize; N] {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    widths
}

/// What would end a cell, or begin something that is no text.
fn escape(cell: &str) -> String {
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
    use super::{markdown, text};

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bb"], ["ccc", ""], ["ä", "d|_"]].map(|row| row.map(str::to_owned));
        assert_eq!(text(&rows), "a    bb\nccc\nä    d|_\n");
        assert_eq!(markdown(&rows), "| a   | bb    |\n| --- | ----- |\n| ccc |       |\n| ä   | d\\|\\_ |\n");
        assert_eq!(text::<2>(&[]), "");
    }
}
