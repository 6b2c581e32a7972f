//! Asks twice before something is sent that costs money.

use std::io::BufRead;

/// Questions that are asked.
pub(super) const QUESTIONS: u8 = 2;

/// Asks what `yes` does not answer already; whether the answers are all yes.
pub(super) fn is_given(vendor: &str, question: &str, yes: u8, input: &mut impl BufRead) -> bool {
    if yes == 0 {
        eprint!("type the vendor's name to go on: ");
        if answer(input) != vendor {
            return false;
        }
    }
    if yes < QUESTIONS {
        eprint!("{question} [y/N] ");
        return matches!(&*answer(input).to_lowercase(), "y" | "yes");
    }
    true
}

/// A line without its end; nothing where nobody answers.
fn answer(input: &mut impl BufRead) -> String {
    let mut line = String::new();
    match input.read_line(&mut line) {
        Ok(_) => line.trim().to_owned(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yes: u8, typed: &str, expected: bool) {
        let given = is_given("acme", "send?", yes, &mut typed.as_bytes());
        assert_eq!(given, expected, "{yes} {typed:?}");
    }

    #[test]
    fn nothing_is_sent_without_the_vendors_name_and_a_yes() {
        check(0, "acme\ny\n", true);
        check(0, " acme \nYES\n", true);
        check(0, "acme\n\n", false);
        check(0, "acme\n", false);
        check(0, "y\ny\n", false);
        check(0, "", false);
    }

    #[test]
    fn each_yes_on_the_command_line_answers_one_question() {
        check(1, "y\n", true);
        check(1, "n\n", false);
        check(1, "", false);
        check(2, "", true);
        check(3, "", true);
    }
}
