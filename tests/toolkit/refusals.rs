//! A command that cannot be run is told by its name, with the reason and what helps; nobody takes it for an empty one.
//!
//! Knows nothing of commands that run.

use crate::commands::shell;
use csproc::prelude::*;
use csproc::toolkit::{Command, CommandError, execute, runner};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn refused(command: &Command) -> CommandError {
    command.run(None, None, None).unwrap_err()
}

/// A file of the test's own.
fn file(name: &str, text: &str, mode: u32) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

over_both! {
    fn a_command_that_is_not_there_is_named_and_poisons_what_it_would_have_written_to(placement) {
        let [out, err, input] = [(); 3].map(|()| Channel::new());
        let readers = [out.reader(), err.reader()];
        let w = input.writer();
        let child = execute(
            Command::new("no-such-command").arg("-x"),
            Some(input.reader()),
            Some(out.writer()),
            Some(err.writer()),
        );
        let error = child.on(placement).run().unwrap().unwrap_err();
        assert!(error.to_string().contains("the command `no-such-command` is not there"), "{error}");
        assert!(readers.iter().all(|reader| reader.read() == Err(ChannelError::Poisoned)));
        assert!(w.write(vec![1]).unwrap_err().fate.is_retired());
    }

    fn a_runner_ends_with_a_command_that_is_not_there(placement) {
        let jobs = Channel::new();
        let w = jobs.writer();
        let child = Spawn!(runner(jobs.reader()).on(placement)).unwrap();
        w.write((shell("exit 1"), None, None, None)).unwrap();
        w.write((Command::new("no-such-command"), None, None, None)).unwrap();
        let error = child.join().unwrap().unwrap_err();
        assert!(error.to_string().contains("`no-such-command`"), "{error}");
        assert!(w.write((shell("exit 1"), None, None, None)).unwrap_err().fate.is_retired());
    }
}

once! {
    fn each_refusal_has_its_reason() {
        let name = |path: &PathBuf| path.to_string_lossy().into_owned();
        let data = file("data", "no program", 0o644);
        let error = refused(&Command::new(&data));
        assert!(matches!(&error, CommandError::NotExecutable { command, .. } if *command == name(&data)), "{error:?}");

        let script = file("script", "#!/no/such/interpreter\n", 0o755);
        assert_eq!(refused(&Command::new(&script)), CommandError::NotFound { command: name(&script) });

        for directory in [Path::new("/no/such/directory"), &data] {
            let error = refused(&shell("true").directory(directory));
            let is_it = matches!(&error, CommandError::Directory { directory: place, .. } if place == directory);
            assert!(is_it && error.to_string().contains("`sh`"), "{error:?}");
        }
        let error = refused(&Command::new("no-such-command").directory("/"));
        assert_eq!(error, CommandError::NotFound { command: "no-such-command".to_string() });

        let error = refused(&shell("true").arg("a\0b"));
        assert!(matches!(&error, CommandError::System { .. }) && error.to_string().contains("nul"), "{error}");
        let error = refused(&shell("true").arg("x".repeat(10_000_000)));
        assert!(matches!(&error, CommandError::System { .. }), "{error}");
        for path in [data, script] {
            fs::remove_file(path).unwrap();
        }
    }

    fn a_command_is_the_same_wherever_it_is_decoded() {
        let odd: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(vec![0xff, b' ', 0xfe]);
        let command = shell("true").arg(&odd).env("A", &odd).directory("/tmp");
        let bytes = postcard::to_stdvec(&command).unwrap();
        assert_eq!(postcard::from_bytes::<Command>(&bytes).unwrap(), command);
        assert_eq!(Command::new("a b").args(["", "it's", "*", "x=1"]).to_string(), r"'a b' '' 'it'\''s' '*' x=1");
    }
}
