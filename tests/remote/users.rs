//! Another user is not let in, whatever the files allow, and gets no key.
//!
//! Knows nothing of keys. The kernel says who is at the other end; only root can try it, for only root can be somebody
//! else, so the test says so and ends where it is not root.

use crate::harness::scenario::{Program, Scenario, command, output};
use crate::{KEY, path, served};
use csproc::shared::{Manager, ServeError};
use rustix::process::geteuid;
use std::fs::{Permissions, set_permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

pub(crate) const SCENARIOS: &[Scenario] =
    &[("another user connects", another_user_connects), ("another user serves", another_user_serves)];

const PATH: &str = "CSPROC_TEST_PATH";
const NOBODY: u32 = 65_534;

fn told_path() -> PathBuf {
    std::env::var_os(PATH).unwrap().into()
}

fn another_user_connects() {
    let error = Manager::connect(told_path(), KEY).unwrap_err();
    println!("as {}: {error:?}", geteuid().as_raw());
}

/// Listens, and says what comes from whoever connects.
fn another_user_serves() {
    let listener = UnixListener::bind(told_path()).unwrap();
    println!("listening");
    let mut stream = listener.accept().unwrap().0;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    println!("came: {bytes:?}");
}

fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        println!("not tried: only root can be another user");
    }
    is_root
}

once! {
    fn another_user_is_sent_away_by_the_server() {
        if !is_root() {
            return;
        }
        let (manager, path, connect) = served();
        manager.share("value", &manager.value(1).unwrap()).unwrap();
        // As the files are, the system does not let anybody come near.
        let attempt = || {
            let (mut program, _) = command("another user connects");
            program.env(PATH, &path).uid(NOBODY).gid(NOBODY);
            output(program)
        };
        let refused = format!("as {NOBODY}: {:?}", ServeError::User { path: path.clone() });
        let remains = attempt();
        assert!(remains.status.success() && remains.stdout.contains(&refused), "{remains:?}");
        // With doors wide open, it is the server that does not, and says so; the client would not give its key, either.
        set_permissions(path.parent().unwrap(), Permissions::from_mode(0o777)).unwrap();
        set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        let remains = attempt();
        assert!(remains.status.success() && remains.stdout.contains(&refused), "{remains:?}");
        assert_eq!(connect().get::<csproc::shared::Shared<i32>>("value").unwrap().get(), Ok(1));
    }

    fn another_user_who_serves_gets_no_byte() {
        if !is_root() {
            return;
        }
        let path = path();
        let directory = path.parent().unwrap();
        std::fs::create_dir(directory).unwrap();
        set_permissions(directory, Permissions::from_mode(0o777)).unwrap();
        let (mut program, tag) = command("another user serves");
        program.env(PATH, &path).uid(NOBODY).gid(NOBODY);
        let mut program = Program::start_as(&mut program, tag);
        program.until("listening");
        assert_eq!(Manager::connect(&path, KEY).unwrap_err(), ServeError::User { path: path.clone() });
        assert_eq!(program.until("came: "), "[]");
        assert!(program.wait().success());
        std::fs::remove_dir_all(directory).unwrap();
    }
}
