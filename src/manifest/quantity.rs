//! Amounts of a resource: `500m` of a CPU, `64Mi` of memory.
//!
//! Kubernetes' notation ("Quantity" in its API reference): a decimal number, then `n`, `u`, `m`, `k`, `M`, `G`, `T`,
//! `P` or `E` for powers of ten, `Ki` … `Ei` for powers of two, or an exponent such as `e3`.

/// An amount, in billionths of its unit: what a thousandth of a CPU needs, with room for eight exbibytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Quantity {
    nanos: i128,
}

/// How many billionths one is.
const ONE: i128 = 1_000_000_000;

/// The largest amount that Kubernetes knows, 2⁶³ - 1; what is more counts as that much.
const MOST: i128 = (i64::MAX as i128) * ONE;

impl Quantity {
    /// A whole number of units.
    pub(crate) fn whole(units: u64) -> Self {
        Self {
            nanos: (i128::from(units) * ONE).min(MOST),
        }
    }

    /// Reads an amount; nothing, when the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let end = text
            .find(|character: char| !matches!(character, '0'..='9' | '.' | '+' | '-'))
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (negative, digits) = match number.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() + part.len() == 0
            || !(whole.bytes().chain(part.bytes())).all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let scale = Scale::of(suffix)?;
        let nanos = scale.nanos(whole, part)?;
        Some(Self {
            nanos: if negative { -nanos } else { nanos },
        })
    }

    /// How many times another amount fits, rounded up, as Kubernetes tells amounts to a program. The whole amount,
    /// when the other one is nothing.
    pub(crate) fn in_units_of(self, unit: Self) -> i64 {
        let unit = if unit.nanos > 0 { unit.nanos } else { ONE };
        let times = self.nanos.div_euclid(unit) + i128::from(self.nanos.rem_euclid(unit) > 0);
        i64::try_from(times).unwrap_or(i64::MAX)
    }

    /// Whether another amount, which is more than nothing, fits a whole number of times.
    pub(crate) fn is_multiple_of(self, unit: Self) -> bool {
        self.nanos.checked_rem_euclid(unit.nanos) == Some(0)
    }

    /// The amount as Kubernetes writes one that is not whole: `1500m`.
    pub(crate) fn in_thousandths(self) -> String {
        let thousandth = Self { nanos: ONE / 1_000 };
        format!("{}m", self.in_units_of(thousandth))
    }

    /// The amount in whole units, rounded up.
    pub(crate) fn units(self) -> i64 {
        self.in_units_of(Self { nanos: ONE })
    }

    /// The amount in billionths of its unit.
    pub(crate) fn nanos(self) -> i64 {
        i64::try_from(self.nanos).unwrap_or(i64::MAX)
    }
}

/// What the number before a suffix is to be multiplied with: `factor` × 10^`tens`.
struct Scale {
    factor: i128,
    tens: i32,
}

impl Scale {
    fn of(suffix: &str) -> Option<Self> {
        let tens = |tens| Some(Self { factor: 1, tens });
        let twos = |twos: u32| {
            Some(Self {
                factor: 1 << twos,
                tens: 0,
            })
        };
        match suffix {
            "n" => tens(-9),
            "u" => tens(-6),
            "m" => tens(-3),
            "" => tens(0),
            "k" => tens(3),
            "M" => tens(6),
            "G" => tens(9),
            "T" => tens(12),
            "P" => tens(15),
            "E" => tens(18),
            "Ki" => twos(10),
            "Mi" => twos(20),
            "Gi" => twos(30),
            "Ti" => twos(40),
            "Pi" => twos(50),
            "Ei" => twos(60),
            _ => tens(suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
        }
    }

    /// Billionths, rounded up; never more than [`MOST`].
    fn nanos(&self, whole: &str, part: &str) -> Option<i128> {
        let digits: i128 = format!("{whole}{part}").parse().ok()?;
        let exponent = self.tens.checked_add(9)? - i32::try_from(part.len()).ok()?;
        let product = digits.saturating_mul(self.factor);
        let power = 10_i128.checked_pow(exponent.unsigned_abs());
        let nanos = match (power, exponent >= 0) {
            (Some(power), true) => product.saturating_mul(power),
            (Some(power), false) => product.div_euclid(power) + i128::from(product.rem_euclid(power) > 0),
            (None, true) => {
                if product == 0 {
                    0
                } else {
                    MOST
                }
            }
            (None, false) => i128::from(product > 0),
        };
        Some(nanos.min(MOST))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_as_kubernetes_writes_them() {
        let table = [
            ("0", 0),
            ("1", 1_000_000_000),
            ("0.5", 500_000_000),
            (".5", 500_000_000),
            ("5.", 5_000_000_000),
            ("+1", 1_000_000_000),
            ("-1", -1_000_000_000),
            ("250m", 250_000_000),
            ("1u", 1_000),
            ("1n", 1),
            ("0.1n", 1),
            ("2k", 2_000_000_000_000),
            ("1Ki", 1_024_000_000_000),
            ("1.5Ki", 1_536_000_000_000),
            ("1e3", 1_000_000_000_000),
            ("1E3", 1_000_000_000_000),
            ("1e-3", 1_000_000),
        ];
        for (written, nanos) in table {
            assert_eq!(Quantity::parse(written), Some(Quantity { nanos }), "{written}");
        }
    }

    #[test]
    fn what_is_no_amount() {
        for written in [
            "",
            ".",
            "-",
            "Mi",
            "1 Mi",
            "1mi",
            "1.2.3",
            "1-",
            "1e",
            "1ee3",
            "one",
            "1e99999999999",
        ] {
            assert_eq!(Quantity::parse(written), None, "{written}");
        }
    }

    #[test]
    fn what_is_too_much_is_the_most_there_is() {
        for written in ["100E", "1e40", "99999999999999999999"] {
            assert_eq!(Quantity::parse(written).unwrap().units(), i64::MAX, "{written}");
        }
    }

    #[test]
    fn amounts_are_told_rounded_up() {
        let told = |amount, unit| {
            Quantity::parse(amount)
                .unwrap()
                .in_units_of(Quantity::parse(unit).unwrap())
        };
        assert_eq!(told("250m", "1"), 1);
        assert_eq!(told("1500m", "1"), 2);
        assert_eq!(told("1500m", "1m"), 1500);
        assert_eq!(told("64Mi", "1Mi"), 64);
        assert_eq!(told("64Mi", "1"), 67_108_864);
        assert_eq!(told("1", "0"), 1);
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_panics(text in "[-+.0-9eEkKMGinum]{0,60}") {
            let _amount_or_nothing = Quantity::parse(&text);
        }

        #[test]
        fn a_whole_number_is_itself(units in 0..u64::from(u32::MAX)) {
            prop_assert_eq!(Quantity::parse(&units.to_string()), Some(Quantity::whole(units)));
        }
    }
}
