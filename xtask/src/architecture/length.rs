//! A file holds one concern. Past four hundred lines it is worth a look; past a thousand it holds
//! several.

use super::sources::Source;
use super::{Finding, Severity};

/// Lines from which a file is worth a look.
const WARN_ABOVE: usize = 400;
/// Lines no file may exceed.
const FAIL_ABOVE: usize = 1000;

/// Files that are too long.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().filter_map(check_one).collect()
}

fn check_one(source: &Source) -> Option<Finding> {
    let lines = source.text.lines().count();
    let (limit, severity) = if lines > FAIL_ABOVE {
        (FAIL_ABOVE, Severity::Error)
    } else if lines > WARN_ABOVE {
        (WARN_ABOVE, Severity::Warning)
    } else {
        return None;
    };
    let rule = format!("{lines} lines, more than {limit}: is this still one concern?");
    Some(Finding {
        file: source.path.clone(),
        line: limit + 1,
        rule,
        severity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: usize) -> Option<(usize, Severity)> {
        let source = Source {
            path: "a.rs".into(),
            text: "\n".repeat(lines),
        };
        check(&[source])
            .pop()
            .map(|finding| (finding.line, finding.severity))
    }

    #[test]
    fn length_is_judged_at_both_limits() {
        assert_eq!(found(400), None);
        assert_eq!(found(401), Some((401, Severity::Warning)));
        assert_eq!(found(1000), Some((401, Severity::Warning)));
        assert_eq!(found(1001), Some((1001, Severity::Error)));
    }
}
