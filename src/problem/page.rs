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
                let marked = AnnotationKind::Primary.span(span.clone());
                let snippet = Snippet::source(&*source.text).path(&*source.name);
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
