//! A value that is nearly always the usual one, and then takes no room.

use std::ops::{Deref, DerefMut};

/// A value of which there is a usual one, for which nothing is kept.
pub trait Usual: Default + PartialEq + 'static {
    /// The usual value: that of [`Default`].
    fn usual() -> &'static Self;
}

/// A pointer to a value; to the usual one for all who have that.
#[derive(Debug, Clone, Default)]
pub struct Sparse<T>(Option<Box<T>>);

impl<T: Usual> Sparse<T> {
    /// This value.
    #[must_use]
    pub(crate) fn new(value: T) -> Self {
        Self((value != *T::usual()).then(|| Box::new(value)))
    }
}

impl<T: Usual> Deref for Sparse<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or_else(|| T::usual())
    }
}

impl<T: Usual> DerefMut for Sparse<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Usual> PartialEq for Sparse<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            _ => **self == **other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::device::Checks;

    #[test]
    fn the_usual_value_takes_no_room_and_is_equal_to_one_that_was_changed_back() {
        let usual: Sparse<Checks> = Sparse::new(Checks::default());
        assert!(usual.0.is_none() && usual.failing.is_empty());
        let mut other = usual.clone();
        other.failing.push("encryption".into());
        assert_ne!(usual, other);
        assert_eq!(*other, Checks { failing: vec!["encryption".into()], missing: vec![] });
        other.failing.clear();
        assert_eq!(usual, other);
    }
}
