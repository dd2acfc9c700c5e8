use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Line;

/// Kept per service: some screens full.
const LINES_MAX: usize = 2000;

/// The last lines of every service.
#[derive(Debug)]
pub(super) struct History(HashMap<Arc<str>, VecDeque<Arc<Line>>>);

/// What a reader asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Wanted {
    pub(super) lines: usize,
    pub(super) follow: bool,
}

impl Wanted {
    /// Unknown or unreadable parameters count as not given.
    pub(super) fn parse(query: &str) -> Self {
        let mut wanted = Self { lines: 100, follow: false };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "lines" => wanted.lines = value.parse().unwrap_or(wanted.lines),
                "follow" => wanted.follow = value == "1",
                _ => {}
            }
        }
        wanted
    }
}

impl History {
    pub(super) fn new(services: &[&str]) -> Self {
        Self(services.iter().map(|service| ((*service).into(), VecDeque::new())).collect())
    }

    pub(super) fn push(&mut self, line: Arc<Line>) {
        if let Some(kept) = self.0.get_mut(&line.service) {
            if kept.len() == LINES_MAX {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    }

    /// `None` for a service that does not exist.
    pub(super) fn recent(&self, service: &str, lines: usize) -> Option<Vec<Arc<Line>>> {
        let kept = self.0.get(service)?;
        Some(kept.iter().skip(kept.len().saturating_sub(lines)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Stream;

    #[test]
    fn only_the_last_lines_of_known_services_are_kept() {
        let mut history = History::new(&["api"]);
        for number in 0..LINES_MAX + 5 {
            for service in ["api", "other"] {
                let line = Line {
                    service: service.into(),
                    instance: "x".into(),
                    stream: Stream::Stdout,
                    text: number.to_string(),
                };
                history.push(Arc::new(line));
            }
        }
        let texts = |lines| {
            history.recent("api", lines).expect("known").iter().map(|l| l.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(texts(2), ["2003", "2004"]);
        assert_eq!(texts(usize::MAX).len(), LINES_MAX);
        assert!(history.recent("other", 1).is_none());
    }

    #[test]
    fn odd_queries_fall_back_to_the_defaults() {
        let check =
            |query, lines, follow| assert_eq!(Wanted::parse(query), Wanted { lines, follow }, "{query}");
        check("", 100, false);
        check("lines=5&follow=1", 5, true);
        check("lines=-1&follow=yes&x", 100, false);
    }
}
