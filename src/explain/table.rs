//! Writes an explanation for people: a table, in colour where there is colour.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::explain::{Explained, StepExplained};
use crate::text::Encoding;

/// Rules before the one that matched that are shown; the rest are counted.
const PASSED_SHOWN_MAX: usize = 12;

const HEAD: [&str; 6] = ["", "vendor", "weight", "sender", "parts", "now"];

/// An explanation on its way to a terminal, or to a file.
pub struct Page<'a> {
    explained: &'a Explained,
    colour: bool,
}

impl Explained {
    /// The explanation as text; `colour` where the reader's terminal has it.
    pub fn page(&self, colour: bool) -> Page<'_> {
        Page {
            explained: self,
            colour,
        }
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.explained;
        let kind = all.number_type.replace('_', " ");
        let heading = format!("{}  {} by {}, {kind}", all.to, all.country, all.channel);
        writeln!(f, "{}", self.bold(&heading))?;
        self.passed(f)?;
        if let Some(rule) = &all.rule {
            let place = all.rule_place.as_deref().unwrap_or_default();
            writeln!(f, "rule   `{rule}` ({place}), rules {}", all.rules)?;
        }
        if let Some(chain) = &all.chain {
            let order = if all.adaptive { ", order learned" } else { "" };
            writeln!(f, "chain  `{chain}`{order}")?;
        }
        self.vendors(f)?;
        if let Some(refused) = &all.refused {
            let refused = format!("nothing would be sent: {refused}");
            return write!(f, "{}", self.alarming(&refused));
        }
        if !all.is_sent() {
            let nobody = "nothing would be sent now: every vendor is off or used up";
            writeln!(f, "{}", self.alarming(nobody))?;
        }
        self.texts(f)?;
        write!(f, "if vendors stay silent")?;
        for planned in &all.timetable {
            write!(f, "\n  {:>7} ms  {}", planned.at_ms, planned.what)?;
        }
        Ok(())
    }
}

impl Page<'_> {
    fn passed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = &self.explained.passed;
        // Those nearest to the rule that matched say most.
        let hidden = passed.len().saturating_sub(PASSED_SHOWN_MAX);
        if hidden > 0 {
            writeln!(f, "  not {hidden} rules before these")?;
        }
        for passed in &passed[hidden..] {
            let (rule, place, why) = (&passed.rule, &passed.place, &passed.why);
            writeln!(
                f,
                "{}",
                self.faint(&format!("  not `{rule}` ({place}): {why}"))
            )?;
        }
        Ok(())
    }

    fn vendors(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = &self.explained.steps;
        let rows: Vec<[String; 6]> = steps
            .iter()
            .enumerate()
            .map(|(index, step)| row(index, step))
            .collect();
        let mut widths = HEAD.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        if !rows.is_empty() {
            writeln!(f, "{}", self.faint(&line(&HEAD, &widths)))?;
        }
        for (row, step) in rows.iter().zip(steps) {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            let line = line(&cells, &widths);
            let is_ill = step
                .health
                .as_deref()
                .is_some_and(|h| h.starts_with("unwell"));
            if step.off.is_some() || step.used_up_until.is_some() || is_ill {
                writeln!(f, "{}", self.alarming(&line))?;
            } else {
                writeln!(f, "{line}")?;
            }
        }
        for left_out in &self.explained.left_out {
            let line = format!("  -  {}, left out: {}", left_out.vendor, left_out.why);
            writeln!(f, "{}", self.faint(&line))?;
        }
        Ok(())
    }

    /// What is said, once for all vendors that say the same.
    fn texts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<&StepExplained> = Vec::new();
        for step in &self.explained.steps {
            if shown.iter().any(|other| other.text == step.text) {
                continue;
            }
            shown.push(step);
            let text = &step.text;
            let encoding = match text.measure.encoding {
                Encoding::Gsm7 => "GSM-7",
                Encoding::Ucs2 => "UCS-2",
            };
            let mut facts = match step.channel.as_str() {
                "voice" => "spoken".to_owned(),
                _ => {
                    let (units, parts) = (text.measure.units, text.measure.parts);
                    let parts = if parts == 1 {
                        "1 part".to_owned()
                    } else {
                        format!("{parts} parts")
                    };
                    format!("{encoding}, {units} units, {parts}")
                }
            };
            if let Some(template) = &text.template {
                write!(facts, ", template `{template}`")?;
            }
            if let Some(language) = text
                .language
                .as_ref()
                .filter(|_| facts.starts_with("spoken"))
            {
                write!(facts, ", {language}")?;
            }
            if shown.len() > 1 {
                write!(facts, ", with {}", step.vendor)?;
            }
            writeln!(f, "text   {facts}")?;
            for line in text.said.lines() {
                writeln!(f, "       {}", self.bold(line))?;
            }
        }
        Ok(())
    }

    fn bold(&self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    fn faint(&self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }

    fn alarming(&self, text: &str) -> String {
        self.styled(AnsiColor::Red.on_default(), text)
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

fn row(index: usize, step: &StepExplained) -> [String; 6] {
    let mut now: Vec<String> = Vec::new();
    now.extend(step.off.as_ref().map(|off| format!("OFF: {off}")));
    if let Some(waits) = &step.waits {
        now.push(format!("by {} after {waits}", step.channel));
    }
    let foreign = step.foreign.as_ref();
    now.extend(foreign.map(|language| match step.yields {
        true => format!("no voice for {language}: it comes last"),
        false => format!("no voice for {language}, nor has anybody else"),
    }));
    now.extend(step.first.map(|first| format!("first for {first} of 100")));
    now.extend(step.quota.as_ref().map(|quota| match &step.used_up_until {
        Some(until) => format!("quota {quota} USED UP until {until}"),
        None => format!("quota {quota}"),
    }));
    now.extend(step.health.clone());
    now.extend(step.last.as_ref().map(|last| format!("last {last}")));
    [
        format!("{}.", index + 1),
        step.vendor.clone(),
        step.weight.map_or_else(String::new, |w| w.to_string()),
        step.sender
            .clone()
            .unwrap_or_else(|| "the vendor's choice".to_owned()),
        match step.channel.as_str() {
            "voice" => "call".to_owned(),
            _ => step.text.measure.parts.to_string(),
        },
        now.join(", "),
    ]
}

fn line(cells: &[&str], widths: &[usize; 6]) -> String {
    let mut line = String::from(" ");
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(&format!(" {cell:<width$} "));
    }
    line.trim_end().to_owned()
}
