//! `$(NAME)` in commands, arguments and values of variables.
//!
//! The rules are Kubernetes' (`third_party/forked/golang/expansion`, and "Define a Command and Arguments for a
//! Container" in its documentation):
//!
//! - `$(NAME)` becomes the variable's value; an unknown variable stays as it is written;
//! - `$$` becomes `$`, so `$$(NAME)` is how to write `$(NAME)` itself;
//! - a `$` before anything else stays, and so does a `$(` that is never closed.
//!
//! What was put in is not looked at again. A shell's own `$NAME` is left to the shell.

/// Puts the values of variables into a text. `value` tells a variable's value, or nothing for an unknown one.
pub fn expand<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        expanded.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = reference(rest) {
            match value(name) {
                Some(value) => expanded.push_str(value),
                None => expanded.extend(["$(", name, ")"]),
            }
            rest = after;
        } else {
            expanded.push('$');
            rest = keep_next(rest, &mut expanded);
        }
    }
    expanded.push_str(rest);
    expanded
}

/// Splits `(NAME)rest` into the name and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('(')?.split_once(')')
}

/// Copies the character after a lone `$`: it belongs to it, and is not the start of anything.
fn keep_next<'t>(text: &'t str, expanded: &mut String) -> &'t str {
    let mut characters = text.chars();
    expanded.extend(characters.next());
    characters.as_str()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "A" => Some("one"),
            "B" => Some("two words"),
            "EMPTY" => Some(""),
            "NESTED" => Some("$(A)"),
            "MONEY" => Some("$$"),
            _ => None,
        }
    }

    /// One row, one rule: what is written, what the process gets.
    const TABLE: &[(&str, &str)] = &[
        ("", ""),
        ("plain", "plain"),
        ("$(A)", "one"),
        ("x$(A)y", "xoney"),
        ("$(A)$(B)", "onetwo words"),
        ("$(A) and $(A)", "one and one"),
        ("$(EMPTY)", ""),
        // Unknown variables stay.
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$(UNKNOWN)$(A)", "$(UNKNOWN)one"),
        ("$()", "$()"),
        ("$(A )", "$(A )"),
        // Two dollars are one, and stop an expansion.
        ("$$", "$"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$one"),
        ("$$$$(A)", "$$(A)"),
        ("$$$$$(A)", "$$one"),
        // What was put in is not looked at again.
        ("$(NESTED)", "$(A)"),
        ("$(MONEY)(A)", "$$(A)"),
        ("$($(A))", "$($(A))"),
        ("$(A$(B))", "$(A$(B))"),
        // A dollar before anything else is a dollar.
        ("$", "$"),
        ("$A", "$A"),
        ("${A}", "${A}"),
        ("cost: 5$", "cost: 5$"),
        ("$x$(A)", "$xone"),
        ("$ü$(A)", "$üone"),
        // Never closed.
        ("$(A", "$(A"),
        ("$(", "$("),
        ("$(A $(B)", "$(A $(B)"),
        ("$((A))", "$((A))"),
        // A shell's own.
        ("$(date +%s)", "$(date +%s)"),
        ("echo $HOME `id`", "echo $HOME `id`"),
    ];

    #[test]
    fn the_rules_of_kubernetes() {
        for (written, wanted) in TABLE {
            assert_eq!(expand(written, value), *wanted, "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_text_without_a_dollar_is_untouched(text in "[^$]*") {
            prop_assert_eq!(expand(&text, value), text);
        }

        #[test]
        fn doubling_every_dollar_gives_the_text_itself(text in ".*") {
            prop_assert_eq!(expand(&text.replace('$', "$$"), value), text);
        }
    }
}
