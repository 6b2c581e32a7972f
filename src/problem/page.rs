//! Lays problems out for a person, each with the lines it is about.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::problem::{Problem, Problems, Severity};

impl Problems {
    /// All of them by file and place, an empty line after each; `colour` is for terminals.
    pub fn page(&self, colour: bool) -> String {
        let renderer = match colour {
            true => Renderer::styled(),
            false => Renderer::plain(),
        };
        let all = self.sorted().into_iter();
        all.map(|problem| format!("{}\n\n", renderer.render(&[problem.group()])))
            .collect()
    }
}

impl Problem {
    fn group(&self) -> Group<'_> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&*self.message);
        let group = match &self.place {
            Some((source, span)) => {
                // Those lines only: a file is long, and may have very many problems.
                let (first, _) = source.position(span.start);
                let (last, _) = source.position(span.end);
                let (lines, start) = source.lines_of(first, last);
                let marked = span.start.saturating_sub(start)..span.end.saturating_sub(start);
                let marked = AnnotationKind::Primary.span(marked);
                let snippet = Snippet::source(lines).path(&*source.name).line_start(first);
                title.element(snippet.annotation(marked))
            }
            None => Group::with_title(title),
        };
        match &self.hint {
            Some(hint) => group.element(Level::HELP.with_name("hint").message(&**hint)),
            None => group,
        }
    }
}
