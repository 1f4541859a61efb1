//! What a command's end means to a script.

/// The exit codes (docs/reference.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exit {
    /// 0: done.
    #[default]
    Done,
    /// 1: an error, or findings.
    Failed,
    /// 2: there are changes.
    Changes,
    /// 3: a guard refused.
    Refused,
}

impl Exit {
    /// The code for both together: 1 takes precedence over 3, and 3 over 2.
    #[must_use]
    pub(crate) fn combine(self, other: Self) -> Self {
        if self.weight() >= other.weight() { self } else { other }
    }

    /// For the operating system.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Refused => 3,
        }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Changes => 1,
            Self::Refused => 2,
            Self::Failed => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit::{self, Changes, Done, Failed, Refused};

    #[test]
    fn the_order_is_1_3_2_0() {
        let order = [Failed, Refused, Changes, Done];
        for (i, strong) in order.into_iter().enumerate() {
            for weak in &order[i..] {
                assert_eq!(strong.combine(*weak), strong);
                assert_eq!(weak.combine(strong), strong);
            }
        }
        assert_eq!(order.map(Exit::code), [1, 3, 2, 0]);
    }
}
