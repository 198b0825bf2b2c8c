//! A program that does nothing, and does not link the library: what `spawning` compares one with that does.

fn main() {}
