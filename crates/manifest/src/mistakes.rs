//! What is wrong with a manifest, shown the way rustc shows it.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// How many mistakes are printed: more than anyone reads at once, little enough not to flood a terminal.
const SHOWN_MAX: usize = 50;

/// One mistake and where in the file it is. It is made of the file's own text and of constants;
/// a value that came from the environment must never get in.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct Mistake {
    pub(crate) at: Range<usize>,
    title: String,
    label: String,
    help: Option<String>,
    /// A second place that has to do with it.
    see: Option<(Range<usize>, String)>,
}

impl Mistake {
    pub fn new(at: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { at, title: title.into(), label: label.into(), help: None, see: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    pub fn see(mut self, at: Range<usize>, label: impl Into<String>) -> Self {
        self.see = Some((at, label.into()));
        self
    }
}

/// Whether terminal colours are wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Colour {
    Never,
    Always,
}

/// All mistakes of one manifest, in the order of the file. Never empty.
#[derive(Clone, Eq, PartialEq)]
pub struct Mistakes {
    origin: String,
    source: String,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// Spans may come from anywhere: they are cut to the source and widened to character boundaries.
    pub(crate) fn new(origin: String, source: &str, mut list: Vec<Mistake>) -> Self {
        for mistake in &mut list {
            mistake.at = fit(source, &mistake.at);
            if let Some((at, _)) = &mut mistake.see {
                *at = fit(source, at);
            }
        }
        list.sort_by_key(|a| (a.at.start, a.at.end));
        list.dedup();
        Self { origin, source: source.to_owned(), list }
    }

    /// How many there are, those beyond what is printed included.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The text for people: each mistake with its file, line and column, the line, an arrow and a way out.
    /// At most 50 are shown, then how many more there are. Ends with a line feed.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Never => Renderer::plain(),
            Colour::Always => Renderer::styled(),
        };
        let shown =
            self.list.iter().take(SHOWN_MAX).map(|mistake| self.render_one(&renderer, mistake) + "\n");
        let rest = self.list.len().checked_sub(SHOWN_MAX + 1).map(|rest| format!("and {} more\n", rest + 1));
        shown.chain(rest).collect::<Vec<_>>().join("\n")
    }

    fn render_one(&self, renderer: &Renderer, mistake: &Mistake) -> String {
        let mut snippet = Snippet::source(self.source.as_str())
            .path(self.origin.as_str())
            .annotation(AnnotationKind::Primary.span(mistake.at.clone()).label(mistake.label.as_str()));
        if let Some((at, label)) = &mistake.see {
            snippet = snippet.annotation(AnnotationKind::Context.span(at.clone()).label(label.as_str()));
        }
        let mut group = Level::ERROR.primary_title(mistake.title.as_str()).element(snippet);
        if let Some(help) = &mistake.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    #[cfg(test)]
    pub(crate) fn spans(&self) -> impl Iterator<Item = &Range<usize>> {
        self.list.iter().flat_map(|m| std::iter::once(&m.at).chain(m.see.as_ref().map(|(at, _)| at)))
    }
}

fn fit(source: &str, span: &Range<usize>) -> Range<usize> {
    let start = source.floor_char_boundary(span.start);
    let end = source.ceil_char_boundary(span.end.min(source.len()));
    start..end.max(start)
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Never))
    }
}

/// `Result::unwrap` in a test should be readable.
impl fmt::Debug for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Mistakes {}
