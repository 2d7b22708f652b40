//! One connection: requests read, answers written, and the ways in which a connection can end badly.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

use super::fault::End;
use super::head::{self, Head, Persistence};
use super::{Answer, Request};

/// Longer heads are refused.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Longer bodies are refused.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A client's connection.
pub(super) struct Connection {
    stream: TcpStream,
    /// Bytes that arrived and were not used yet.
    received: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// Answers request after request until one side closes.
    pub(super) async fn serve(mut self, respond: &mut (dyn FnMut(&Request) -> End + Send)) -> io::Result<()> {
        loop {
            let (request, connection) = match self.read_request().await? {
                Next::Request(request, connection) => (request, connection),
                Next::Refused(status) => {
                    return self.send(head::render(&Answer::empty(status), Persistence::Closes).as_bytes()).await;
                }
                Next::Nothing => return Ok(()),
            };
            let (answer, body_bytes, delay) = match respond(&request) {
                End::Answered { answer, body_bytes, delay } => (answer, body_bytes, delay),
                End::Reset => return self.stream.set_zero_linger(),
                End::Closed => return Ok(()),
                End::Silence => return self.hold().await,
            };
            if !delay.is_zero() {
                wait(delay).await;
            }
            let mut bytes = head::render(&answer, connection).into_bytes();
            let body = if request.method == "HEAD" { &[] } else { answer.body.as_slice() };
            bytes.extend_from_slice(body.get(..body_bytes).unwrap_or(body));
            self.send(&bytes).await?;
            if connection == Persistence::Closes || body_bytes < usize::MAX {
                return Ok(());
            }
        }
    }

    async fn read_request(&mut self) -> io::Result<Next> {
        let end = loop {
            match head::find_end(&self.received) {
                Some(end) => break end,
                None if self.received.len() > HEAD_BYTES_MAX => return Ok(Next::Refused(431)),
                None if self.fill().await? == 0 => return Ok(Next::Nothing),
                None => {}
            }
        };
        let mut rest = self.received.split_off(end);
        std::mem::swap(&mut rest, &mut self.received);
        let Head { mut request, body_length, expects_continue, connection } = match head::parse(&rest) {
            Ok(head) => head,
            Err(status) => return Ok(Next::Refused(status)),
        };
        if body_length > BODY_BYTES_MAX {
            return Ok(Next::Refused(413));
        }
        if expects_continue && self.received.len() < body_length {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        while self.received.len() < body_length {
            if self.fill().await? == 0 {
                return Ok(Next::Nothing);
            }
        }
        let mut body = self.received.split_off(body_length);
        std::mem::swap(&mut body, &mut self.received);
        request.body = body;
        Ok(Next::Request(request, connection))
    }

    /// Waits for more bytes; 0 when the client has closed.
    async fn fill(&mut self) -> io::Result<usize> {
        loop {
            self.stream.readable().await?;
            match self.try_fill() {
                Err(failure) if failure.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
        }
    }

    fn try_fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 8 * 1024];
        let bytes = self.stream.try_read(&mut chunk)?;
        self.received.extend_from_slice(chunk.get(..bytes).unwrap_or_default());
        Ok(bytes)
    }

    async fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(failure) if failure.kind() == io::ErrorKind::WouldBlock => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Says nothing until the client gives up.
    async fn hold(&mut self) -> io::Result<()> {
        while self.fill().await? > 0 {}
        Ok(())
    }
}

/// What comes next on a connection.
enum Next {
    Request(Request, Persistence),
    Refused(u16),
    Nothing,
}

#[expect(clippy::disallowed_methods, reason = "a slow answer is the simulated fault itself")]
async fn wait(delay: Duration) {
    tokio::time::sleep(delay).await;
}
