//! The program under a tracer: the system calls by which it changes files, and death at any of them.
//!
//! A tracer is a thread: one run is traced by the thread that starts it, and waits for children
//! of that thread only.

use nix::libc;
use nix::libc::c_long;
use nix::sys::ptrace;
use nix::sys::ptrace::Options;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

/// A system call that may change a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Its name.
    pub(super) name: &'static str,
    /// The name of the file, without its folder.
    pub(super) file: String,
    /// Where in the file, for calls that say so.
    pub(super) offset: Option<u64>,
    /// How many bytes, for calls that say so.
    pub(super) length: Option<u64>,
}

/// When at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// It is about to be made.
    Before,
    /// It was made; the program has not gone on.
    After,
}

/// What is done with the program at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Die,
}

/// Where a call's arguments say which file it is about.
#[derive(Clone, Copy)]
enum File {
    /// An open file.
    Fd,
    /// A path.
    Path(usize),
    /// A path; the flags after it say that the file is made.
    Made(usize),
}

/// A call that changes files: number, name, where the file is, and where offset and length are.
type Known = (c_long, &'static str, File, Option<usize>, Option<usize>);

const CALLS: &[Known] = &[
    (libc::SYS_write, "write", File::Fd, None, Some(2)),
    (libc::SYS_writev, "writev", File::Fd, None, None),
    (libc::SYS_pwrite64, "pwrite64", File::Fd, Some(3), Some(2)),
    (libc::SYS_pwritev, "pwritev", File::Fd, Some(3), None),
    (libc::SYS_pwritev2, "pwritev2", File::Fd, Some(3), None),
    (libc::SYS_ftruncate, "ftruncate", File::Fd, None, Some(1)),
    (libc::SYS_fallocate, "fallocate", File::Fd, Some(2), Some(3)),
    (libc::SYS_fsync, "fsync", File::Fd, None, None),
    (libc::SYS_fdatasync, "fdatasync", File::Fd, None, None),
    (libc::SYS_fchmod, "fchmod", File::Fd, None, None),
    (libc::SYS_fchown, "fchown", File::Fd, None, None),
    (libc::SYS_openat, "openat", File::Made(1), None, None),
    (libc::SYS_unlinkat, "unlinkat", File::Path(1), None, None),
    (libc::SYS_renameat2, "renameat2", File::Path(1), None, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, "open", File::Made(0), None, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_unlink, "unlink", File::Path(0), None, None),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rename, "rename", File::Path(0), None, None),
];

/// Runs a command to its end. At each call that is about a file whose name begins so, before and after it, it is asked
/// what to do.
pub(super) fn run(command: &Command, file: &str, ask: &mut dyn FnMut(&Call, When) -> Then) -> WaitStatus {
    let root = start(command);
    let mut under_way: BTreeMap<Pid, Call> = BTreeMap::new();
    let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
    loop {
        let status = waitpid(Pid::from_raw(-1), Some(flags)).expect("a child");
        match status {
            WaitStatus::PtraceSyscall(pid) => {
                if at_call(pid, file, &mut under_way, ask) == Then::Die {
                    kill(root, Signal::SIGKILL).expect("it is killed");
                } else {
                    go_on(pid, None);
                }
            }
            WaitStatus::PtraceEvent(pid, _, _) => go_on(pid, None),
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal)),
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _) if pid == root => return status,
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) | WaitStatus::Continued(_) | WaitStatus::StillAlive => {}
        }
    }
}

/// Starts it stopped, by a shell that becomes it, and takes hold of it.
#[expect(clippy::zombie_processes, reason = "its tracer waits for it, by its id")]
fn start(command: &Command) -> Pid {
    let mut stopped = Command::new("/bin/sh");
    stopped.args(["-c", "kill -STOP $$; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => stopped.env(key, value),
            None => stopped.env_remove(key),
        };
    }
    stopped.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = stopped.spawn().expect("a shell");
    let root = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    let status = waitpid(root, Some(WaitPidFlag::WUNTRACED)).expect("a child");
    assert_eq!(status, WaitStatus::Stopped(root, Signal::SIGSTOP));
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = ptrace::seize(root, options) {
        kill(root, Signal::SIGKILL).expect("it is killed");
        waitpid(root, None).expect("it is dead");
        panic!(
            "the kernel does not let a test trace its own child ({error}): the crash tests need ptrace; look at \
             /proc/sys/kernel/yama/ptrace_scope (0 or 1) and at the container's seccomp profile (`--cap-add SYS_PTRACE`)"
        );
    }
    kill(root, Signal::SIGCONT).expect("it goes on");
    root
}

/// A thread that was killed meanwhile cannot go on: its end is told next.
fn go_on(pid: Pid, signal: Option<Signal>) {
    let went = ptrace::syscall(pid, signal);
    assert!(matches!(went, Ok(()) | Err(nix::Error::ESRCH)), "{went:?}");
}

fn at_call(
    pid: Pid,
    file: &str,
    under_way: &mut BTreeMap<Pid, Call>,
    ask: &mut dyn FnMut(&Call, When) -> Then,
) -> Then {
    let Ok(info) = ptrace::syscall_info(pid) else { return Then::GoOn };
    if info.op == libc::PTRACE_SYSCALL_INFO_EXIT {
        return under_way.remove(&pid).map_or(Then::GoOn, |call| ask(&call, When::After));
    }
    let Some(call) = call(pid).filter(|call| call.file.starts_with(file)) else { return Then::GoOn };
    let then = ask(&call, When::Before);
    under_way.insert(pid, call);
    then
}

/// Number and arguments of the call that a stopped thread is about to make.
fn registers(pid: Pid) -> nix::Result<(u64, [u64; 4])> {
    let held = ptrace::getregs(pid)?;
    #[cfg(target_arch = "x86_64")]
    let call = (held.orig_rax, [held.rdi, held.rsi, held.rdx, held.r10]);
    #[cfg(target_arch = "aarch64")]
    let call = (held.regs[8], [held.regs[0], held.regs[1], held.regs[2], held.regs[3]]);
    Ok(call)
}

/// The call that a stopped thread is about to make, if it is one that changes files.
fn call(pid: Pid) -> Option<Call> {
    let (number, arguments) = registers(pid).ok()?;
    let number = c_long::try_from(number).ok()?;
    let (_, name, file, offset, length) = CALLS.iter().find(|call| call.0 == number)?;
    let path = match *file {
        File::Fd => fs::read_link(format!("/proc/{pid}/fd/{}", arguments[0])).ok()?.to_string_lossy().into_owned(),
        File::Path(at) => text(pid, arguments[at])?,
        File::Made(at) => {
            let makes = u64::try_from(libc::O_CREAT | libc::O_TRUNC).expect("flags");
            (arguments[at + 1] & makes != 0).then(|| text(pid, arguments[at])).flatten()?
        }
    };
    let file = path.rsplit('/').next()?.to_owned();
    Some(Call { name, file, offset: offset.map(|at| arguments[at]), length: length.map(|at| arguments[at]) })
}

/// A text in the memory of a process.
fn text(pid: Pid, address: u64) -> Option<String> {
    let mut bytes = [0; 4096];
    let read = fs::File::open(format!("/proc/{pid}/mem")).ok()?.read_at(&mut bytes, address).ok()?;
    let end = bytes[..read].iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

#[test]
fn a_program_dies_before_or_after_the_very_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.txt");
    let script =
        format!("echo other > '{0}.other'; echo one > '{0}'; echo two >> '{0}'; echo three >> '{0}'", path.display());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]);
    let mut seen = Vec::new();
    let end = run(&command, "state.txt", &mut |call, when| {
        seen.extend((when == When::Before).then(|| call.clone()));
        Then::GoOn
    });
    assert!(matches!(end, WaitStatus::Exited(_, 0)), "{end:?}");
    assert_eq!(fs::read_to_string(&path).expect("the file"), "one\ntwo\nthree\n");
    let writes: Vec<&Call> = seen.iter().filter(|call| call.name == "write" && call.file == "state.txt").collect();
    assert_eq!(writes.iter().map(|call| call.length).collect::<Vec<_>>(), [Some(4), Some(4), Some(6)]);
    let opened = seen.iter().filter(|call| call.name.starts_with("open") && call.file == "state.txt").count();
    assert_eq!(opened, 3, "{seen:?}");
    for (when, left) in [(When::Before, "one\n"), (When::After, "one\ntwo\n")] {
        let mut writes = 0;
        let end = run(&command, "state.txt", &mut |call, at| {
            writes += usize::from(call.name == "write" && call.file == "state.txt" && at == when);
            if writes == 2 { Then::Die } else { Then::GoOn }
        });
        assert!(matches!(end, WaitStatus::Signaled(_, Signal::SIGKILL, _)), "{end:?}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), left);
    }
}
