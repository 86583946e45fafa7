//! What a policy costs in memory: a hundred thousand caps are kept.

use bookwarden::policy::capacity_caps::CapacityCap;
use bookwarden::policy::row::Policy;

#[test]
fn a_cap_is_small() {
    let bytes = size_of::<Policy<CapacityCap>>();
    assert!(bytes <= 400, "{bytes} bytes");
}
