//! The pure core without a database: cases as files, and properties of any sequence of bookings.

mod cases;
mod costs;
mod properties;
mod rows;
mod world;
