//! The shape of a field's values.

/// The values of a field, as a person sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Every value there is.
    All,
    /// One value.
    One(u32),
    /// Three or more that follow upon each other.
    Range(u32, u32),
    /// Three or more, the same distance apart. `even` if the distance is kept from the last over to the first.
    Step {
        first: u32,
        last: u32,
        step: u32,
        even: bool,
    },
    /// Any others.
    List(Vec<u32>),
}

impl Pattern {
    /// The shape of the values in `mask`, which are some of `min..=max`.
    pub(super) fn of(mask: u64, min: u32, max: u32) -> Pattern {
        let values: Vec<u32> = (min..=max).filter(|value| mask >> value & 1 == 1).collect();
        let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
            return Pattern::List(values);
        };
        let size = max - min + 1;
        let step = values.get(1).map_or(0, |second| second - first);
        let same_step = values.windows(2).all(|pair| pair[1] - pair[0] == step);
        match values.len() {
            1 => Pattern::One(first),
            _ if last - first + 1 == size && step == 1 && same_step => Pattern::All,
            3.. if same_step && step == 1 => Pattern::Range(first, last),
            // Two values are a step only if they go on around: minutes 0 and 30.
            count if same_step && (count > 2 || step * 2 == size && first == min) => Pattern::Step {
                first,
                last,
                step,
                even: first + size - last == step,
            },
            _ => Pattern::List(values),
        }
    }

    /// The values one by one.
    pub(super) fn values(mask: u64) -> impl Iterator<Item = u32> {
        (0..64).filter(move |value| mask >> value & 1 == 1)
    }
}

/// The stretches of values that follow upon each other, of `0..size`. Where it `goes_round`, as on the face of a clock,
/// the last value comes before the first. None where all values are there.
pub(super) fn blocks(mask: impl Into<u64>, size: u32, goes_round: bool) -> Vec<(u32, u32)> {
    let mask = mask.into();
    let is_in = |value: u32| mask >> (value % size) & 1 == 1;
    let may_pass = |value: u32| goes_round || !value.is_multiple_of(size);
    let begins = (0..size).filter(|value| is_in(*value) && !(may_pass(*value) && is_in(value + size - 1)));
    let is_end = |value: u32| !(may_pass(value + 1) && is_in(value + 1));
    let end = |first: u32| {
        (first..first + size)
            .find(|value| is_end(*value))
            .map_or(first, |last| last % size)
    };
    begins.map(|first| (first, end(first))).collect()
}
