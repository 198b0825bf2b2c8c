//! An option that there is not, or that has another form, is told with those that there are.

#[csproc::test(crash = 1)]
fn unknown_option() {}

#[csproc::test(schedules)]
fn no_number() {}

#[csproc::test(schedules = "many")]
fn wrong_number() {}

#[csproc::test(crashes = 1, crashes = 2)]
fn twice() {}

#[csproc::test(lossy = "data")]
fn no_parentheses() {}

#[csproc::test(lossy("data"))]
fn how_many() {}

#[csproc::test(lossy("data", 1), lossy("back", "often"))]
fn wrong_count() {}

#[csproc::test(processes())]
fn nobody() {}

#[csproc::test(processes(worker))]
fn no_quotes() {}

#[csproc::test(exhaustive, delays = 1)]
fn late_in_every_schedule() {}

#[csproc::test(replay = 7)]
fn no_token() {}

#[csproc::test(schedules = 10 crashes = 1)]
fn no_comma() {}

fn main() {}
