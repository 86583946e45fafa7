//! What is known of a value before there is a booking.

use std::fmt;

/// What a part of an expression evaluates to, as far as its text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Fraction,
    /// A text.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// Null.
    Null,
    /// Known only when evaluated.
    Any,
}

impl Kind {
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Fraction)
    }

    /// Whether `==` between the two can ever be true.
    pub(super) fn may_equal(self, other: Self) -> bool {
        let open = |kind| matches!(kind, Self::Any | Self::Null);
        open(self) || open(other) || self == other || (self.is_number() && other.is_number())
    }

    pub(super) fn may_be(self, wanted: Self) -> bool {
        self == wanted || self == Self::Any
    }

    /// Whether a value of this kind can be of any size.
    pub(super) fn may_be_large(self) -> bool {
        matches!(self, Self::Text | Self::List | Self::Map | Self::Any)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "true or false",
            Self::Integer | Self::Fraction => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Null => "null",
            Self::Any => "a value",
        })
    }
}
