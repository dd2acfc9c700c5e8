//! A server whose every byte the test decides.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::wire::{Message, PATIENCE, Wire};

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    accepted: watch::Receiver<usize>,
    requests: Arc<Mutex<Vec<Message>>>,
    /// Connections whose script panicked, most likely at a malformed request.
    panicked: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Upstream {
    /// Runs `script` for every connection, with the number of connections before it.
    pub(crate) async fn scripted<F, Done>(script: F) -> Self
    where
        F: Fn(Wire, usize) -> Done + Send + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (count, accepted) = watch::channel(0);
        let panicked = Arc::<AtomicUsize>::default();
        let panics = Arc::clone(&panicked);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (stream, _) = accepted.expect("accepts");
                        connections.spawn(script(Wire::new(stream), *count.borrow()));
                        count.send_modify(|count| *count += 1);
                    }
                    Some(ended) = connections.join_next() => if ended.is_err() { panics.fetch_add(1, Relaxed); }
                }
            }
        });
        Self { address, accepted, requests: Arc::default(), panicked, task: task.abort_handle() }
    }

    /// Answers every request with the same bytes and keeps the connection; records what it got.
    pub(crate) async fn answering(answer: &str) -> Self {
        let (answer, requests) = (answer.to_owned(), Arc::<Mutex<Vec<Message>>>::default());
        let record = Arc::clone(&requests);
        let mut own = Self::scripted(move |mut wire, _| {
            let (answer, record) = (answer.clone(), Arc::clone(&record));
            async move {
                while let Some(request) = wire.request().await {
                    record.lock().push(request);
                    if wire.try_send(&answer).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await;
        own.requests = requests;
        own
    }

    /// Connections accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }

    /// Connections whose script panicked.
    pub(crate) fn panicked(&self) -> usize {
        self.panicked.load(Relaxed)
    }

    pub(crate) async fn has_accepted(&self, count: usize) {
        let mut accepted = self.accepted.clone();
        let waited = tokio::time::timeout(PATIENCE, accepted.wait_for(|seen| *seen >= count)).await;
        waited.expect("a connection comes in time").expect("the server runs");
    }

    /// What came in so far, to an [`Upstream::answering`] one.
    pub(crate) fn requests(&self) -> Vec<Message> {
        assert_eq!(self.panicked.load(Relaxed), 0, "the upstream got something malformed, see above");
        self.requests.lock().clone()
    }

    /// The only request.
    pub(crate) fn request(&self) -> Message {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address where nobody listens. The port stays taken, so that no other test gets it.
pub(crate) struct Refusing {
    pub(crate) address: SocketAddr,
    socket: TcpSocket,
}

impl Refusing {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        Self { address: socket.local_addr().expect("an address"), socket }
    }

    pub(crate) fn listen(self) -> TcpListener {
        self.socket.listen(16).expect("listens")
    }
}
