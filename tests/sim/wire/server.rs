//! The server: every connection is a task of one thread, so that requests have one order and sockets can be mistreated.

use std::io::{self, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::connection::Connection;
use super::fault::{End, Fault, apply};
use super::{Request, Service};

/// A running simulator. Clones are the same one; it stops, its port free again, when the last of them is dropped.
pub struct Simulator<S: Service> {
    running: Arc<Running<S>>,
}

impl<S: Service> Clone for Simulator<S> {
    fn clone(&self) -> Self {
        Self { running: Arc::clone(&self.running) }
    }
}

struct Running<S> {
    shared: Arc<Shared<S>>,
    address: SocketAddr,
    /// The server stops when this is dropped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The server's own thread (a fault that owned the last clone) cannot wait for itself.
        let thread = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id());
        if let Some(thread) = thread {
            drop(thread.join());
        }
    }
}

/// One request that arrived, and what became of it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request.
    pub request: Request,
    /// The status it was answered with; `None` while, or if, it was not.
    pub status: Option<u16>,
}

/// Is told of each request, with its number.
pub type Watcher = Box<dyn FnMut(&Request, usize) + Send>;

struct Shared<S> {
    service: Mutex<S>,
    faults: Mutex<Faults<S>>,
    log: Mutex<Log>,
    watch: Mutex<Option<Watch>>,
    /// So many connections are open.
    open: Mutex<usize>,
    closed: Condvar,
}

struct Faults<S> {
    list: Vec<Fault<S>>,
    /// How often they were cleared: what was cleared during a request must not come back after it.
    cleared: usize,
}

#[derive(Default)]
struct Log {
    seen: Vec<Seen>,
    forgotten: usize,
}

struct Watch {
    call: Watcher,
    requests: usize,
}

impl<S: Service> Simulator<S> {
    /// Starts on a free port of 127.0.0.1.
    #[expect(clippy::panic, reason = "a machine without a free loopback port can test nothing")]
    pub fn start(service: S) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_at(service, address).unwrap_or_else(|failure| panic!("failed to start a simulator: {failure}"))
    }

    /// Starts at this address.
    pub fn start_at(service: S, address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let shared = Arc::new(Shared {
            service: Mutex::new(service),
            faults: Mutex::new(Faults { list: Vec::new(), cleared: 0 }),
            log: Mutex::default(),
            watch: Mutex::new(None),
            open: Mutex::new(0),
            closed: Condvar::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || runtime.block_on(accept(listener, served, stopped)))?;
        Ok(Self { running: Arc::new(Running { shared, address, stop: Some(stop), thread: Some(thread) }) })
    }

    /// Waits until every request of a client that is gone was served, and its connections are closed. With a client
    /// that keeps one open it would wait for ever.
    pub fn until_quiet(&self) -> io::Result<()> {
        // Connections are accepted in their order: when this one ends, those that came before it were accepted.
        let mut last = TcpStream::connect(self.running.address)?;
        last.shutdown(Shutdown::Write)?;
        last.read_to_end(&mut Vec::new())?;
        let shared = &self.running.shared;
        let open = shared.closed.wait_while(lock(&shared.open), |open| *open > 0);
        drop(open.unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Where it listens, as the beginning of a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.running.address.port()
    }

    /// Looks at the service's state or changes it; no request is answered meanwhile.
    pub fn with<T>(&self, f: impl FnOnce(&mut S) -> T) -> T {
        f(&mut lock(&self.running.shared.service))
    }

    /// Every request since the start or the last [`Self::forget_seen`], in order.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.running.shared.log).seen.clone()
    }

    /// Forgets the requests seen so far.
    pub fn forget_seen(&self) {
        let mut log = lock(&self.running.shared.log);
        log.forgotten += log.seen.len();
        log.seen.clear();
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault<S>) {
        lock(&self.running.shared.faults).list.push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        let mut faults = lock(&self.running.shared.faults);
        faults.list.clear();
        faults.cleared += 1;
    }

    /// Calls this for each request from now on before it is answered, with the request's number, from 1. It replaces
    /// an earlier one. While it runs, nothing is answered.
    pub fn on_request(&self, f: Watcher) {
        *lock(&self.running.shared.watch) = Some(Watch { call: f, requests: 0 });
    }
}

/// A test that panicked while it held the state has failed already; the others may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Service> Shared<S> {
    /// Decides how a request ends, and does what it does to the service.
    fn respond(&self, request: &Request) -> End {
        let number = {
            let mut log = lock(&self.log);
            log.seen.push(Seen { request: request.clone(), status: None });
            log.forgotten + log.seen.len()
        };
        self.tell_watcher(request);
        let end = self.end_of(request);
        if let End::Answered { answer, .. } = &end {
            let mut log = lock(&self.log);
            let at = number.checked_sub(log.forgotten + 1);
            if let Some(seen) = at.and_then(|at| log.seen.get_mut(at)) {
                seen.status = Some(answer.status);
            }
        }
        end
    }

    /// The watcher is called outside of its lock, so that it may use the simulator.
    fn tell_watcher(&self, request: &Request) {
        let Some(mut watch) = lock(&self.watch).take() else { return };
        watch.requests += 1;
        (watch.call)(request, watch.requests);
        lock(&self.watch).get_or_insert(watch);
    }

    /// The faults are out of their lock meanwhile, so that no order of locks can stop a test.
    fn end_of(&self, request: &Request) -> End {
        let (mut faults, cleared) = {
            let mut faults = lock(&self.faults);
            (std::mem::take(&mut faults.list), faults.cleared)
        };
        let end = apply(&mut faults, request, &mut lock(&self.service));
        faults.retain(|fault| fault.times > 0);
        let mut kept = lock(&self.faults);
        if kept.cleared == cleared {
            faults.append(&mut kept.list);
            kept.list = faults;
        }
        end
    }
}

async fn accept<S: Service>(listener: TcpListener, shared: Arc<Shared<S>>, mut stop: oneshot::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => accepted,
        };
        if let Ok((stream, _)) = accepted {
            drop(stream.set_nodelay(true));
            let open = Open::new(Arc::clone(&shared));
            // A client that goes away in the middle is its own affair.
            tokio::spawn(async move {
                let mut respond = |request: &Request| open.0.respond(request);
                Connection::new(stream).serve(&mut respond).await.unwrap_or_default();
            });
        }
    }
}

/// An open connection.
struct Open<S>(Arc<Shared<S>>);

impl<S> Open<S> {
    fn new(shared: Arc<Shared<S>>) -> Self {
        *lock(&shared.open) += 1;
        Self(shared)
    }
}

impl<S> Drop for Open<S> {
    fn drop(&mut self) {
        *lock(&self.0.open) -= 1;
        self.0.closed.notify_all();
    }
}
