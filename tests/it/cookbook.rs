//! Every recipe of `sql/cookbook/`, run by a policy admin, with bookings that show its effect before and after.

mod recipes;
mod trial;
