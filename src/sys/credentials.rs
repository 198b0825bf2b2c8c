//! What a thread may do: its users, groups, capabilities, and whether it may ever gain more; read here, taken on there.
//!
//! Knows nothing of who hands them to whom. Filters of system calls, namespaces and the root directory are no
//! credentials: they cannot be read, so they cannot be taken on.
#![expect(unsafe_code, reason = "asks for users and groups; listed in the architecture page")]

use rustix::io::{Errno, Result};
use rustix::process::{Gid, Uid, getgroups};
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities, capabilities_secure_bits,
    capability_is_in_ambient_set, capability_is_in_bounding_set, clear_ambient_capability_set,
    configure_capability_in_ambient_set, no_new_privs, remove_capability_from_bounding_set, set_capabilities,
    set_capabilities_secure_bits, set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};
use serde::{Deserialize, Serialize};

/// The credentials of one thread. The system keeps them by thread; the C library sets them for all threads at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credentials {
    /// Real, effective and saved.
    users: [u32; 3],
    groups: [u32; 3],
    more_groups: Vec<u32>,
    effective: u64,
    permitted: u64,
    inheritable: u64,
    bounding: u64,
    ambient: u64,
    secure_bits: u32,
    no_new_privileges: bool,
}

impl Credentials {
    /// Those of the calling thread.
    pub(crate) fn of_this_thread() -> Result<Credentials> {
        let sets = capabilities(None)?;
        Ok(Credentials {
            users: users()?,
            groups: groups()?,
            more_groups: getgroups()?.into_iter().map(Gid::as_raw).collect(),
            effective: sets.effective.bits(),
            permitted: sets.permitted.bits(),
            inheritable: sets.inheritable.bits(),
            bounding: all(capability_is_in_bounding_set),
            ambient: if sets.inheritable.is_empty() { 0 } else { all(capability_is_in_ambient_set) },
            secure_bits: capabilities_secure_bits()?.bits(),
            no_new_privileges: no_new_privs()?,
        })
    }

    /// Gives them to the calling thread, which must be the only one of its process. Clears the signal that the thread
    /// gets when its parent dies.
    ///
    /// # Errors
    /// The thread may not take them on, and has some of them now.
    pub(crate) fn take_on(&self) -> Result<()> {
        let own = Credentials::of_this_thread()?;
        if *self == own {
            return Ok(());
        }
        raise_all()?;
        for capability in each(own.bounding & !self.bounding) {
            remove_capability_from_bounding_set(capability)?;
        }
        // Refused where it is locked; then nothing is kept, and the last step finds out whether that matters.
        let _ = set_keep_capabilities(true);
        if self.more_groups != own.more_groups {
            let groups: Vec<Gid> = self.more_groups.iter().copied().map(Gid::from_raw).collect();
            set_thread_groups(&groups)?;
        }
        if self.groups != own.groups {
            let [real, effective, saved] = self.groups.map(Gid::from_raw);
            set_thread_res_gid(real, effective, saved)?;
        }
        if self.users != own.users {
            let [real, effective, saved] = self.users.map(Uid::from_raw);
            set_thread_res_uid(real, effective, saved)?;
        }
        // A change of users has put the effective ones away.
        raise_all()?;
        if self.secure_bits == own.secure_bits {
            let _ = set_keep_capabilities(false);
        } else {
            set_capabilities_secure_bits(CapabilitiesSecureBits::from_bits_retain(self.secure_bits))?;
        }
        set_capabilities(
            None,
            CapabilitySets {
                effective: CapabilitySet::from_bits_retain(self.effective),
                permitted: CapabilitySet::from_bits_retain(self.permitted),
                inheritable: CapabilitySet::from_bits_retain(self.inheritable),
            },
        )?;
        if self.ambient != own.ambient {
            clear_ambient_capability_set()?;
            for capability in each(self.ambient) {
                configure_capability_in_ambient_set(capability, true)?;
            }
        }
        if self.no_new_privileges {
            set_no_new_privs(true)?;
        }
        // Whatever the system made of all that: a thread with more rights than these must not run.
        if Credentials::of_this_thread()? == *self { Ok(()) } else { Err(Errno::PERM) }
    }
}

/// Makes effective whatever is permitted.
fn raise_all() -> Result<()> {
    let sets = capabilities(None)?;
    set_capabilities(None, CapabilitySets { effective: sets.permitted, ..sets })
}

/// Every capability of a set, alone.
fn each(set: u64) -> impl Iterator<Item = CapabilitySet> {
    (0..u64::BITS).map(|number| 1 << number).filter(move |bit| set & bit != 0).map(CapabilitySet::from_bits_retain)
}

/// The capabilities that are in a set that can be asked about only one by one.
fn all(is_in_set: impl Fn(CapabilitySet) -> Result<bool>) -> u64 {
    // The system refuses the first number beyond the last that it knows.
    let known = each(u64::MAX).map_while(|capability| Some((capability, is_in_set(capability).ok()?)));
    known.filter(|(_, is_in)| *is_in).fold(0, |set, (capability, _)| set | capability.bits())
}

fn users() -> Result<[u32; 3]> {
    let [mut real, mut effective, mut saved] = [0; 3];
    // SAFETY: the three places are there to be written to.
    let result = unsafe { libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) };
    if result == 0 { Ok([real, effective, saved]) } else { Err(Errno::PERM) }
}

fn groups() -> Result<[u32; 3]> {
    let [mut real, mut effective, mut saved] = [0; 3];
    // SAFETY: as above.
    let result = unsafe { libc::getresgid(&raw mut real, &raw mut effective, &raw mut saved) };
    if result == 0 { Ok([real, effective, saved]) } else { Err(Errno::PERM) }
}
