//! Without the feature `testing` the compiler says that it is needed.

#[csproc::test]
fn needs_the_feature() {}

fn main() {}
