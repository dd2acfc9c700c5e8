//! The sockets of the gateway and what each is for.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use crate::access::{Access, is_below};
use crate::body::MountBody;

/// Connections the kernel holds while the gateway is busy accepting others.
const BACKLOG: i32 = 4096;

/// A handler of another crate, mounted at a prefix.
#[derive(Clone)]
pub struct Mount {
    prefix: String,
    pub(crate) handler: Handler,
    /// Else it is asked for GET and HEAD only.
    pub(crate) takes_all_methods: bool,
}

pub type Handler =
    Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<MountBody>> + Send>> + Send + Sync>;

impl Mount {
    /// `prefix` as in a route's `/prefix/*`: itself and all below; `/` takes everything.
    pub fn read_only(prefix: &str, handler: Handler) -> Self {
        Self { prefix: prefix.trim_end_matches('/').to_owned(), handler, takes_all_methods: false }
    }

    /// The same for all methods. The handler bounds the bodies it reads, in size and in time.
    pub fn read_write(prefix: &str, handler: Handler) -> Self {
        Self { takes_all_methods: true, ..Self::read_only(prefix, handler) }
    }

    pub(crate) fn takes(&self, path: &str) -> bool {
        is_below(&self.prefix, path)
    }
}

/// What a listener is for.
pub enum Role {
    /// The world: routes of the manifest.
    Public,
    /// The stable address of one service, for other services.
    Service { name: Arc<str>, access: Access },
    /// Handlers of the platform; the first mount that takes a path has it.
    Mounts { mounts: Vec<Mount>, access: Access },
}

impl Role {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Role::Public => "public",
            Role::Service { .. } => "service",
            Role::Mounts { .. } => "admin",
        }
    }
}

/// A bound socket.
pub struct Socket(TcpListener);

impl Socket {
    /// Needs a tokio runtime. Port 0 lets the system choose.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let kind = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(kind, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
        // A restart must not wait for connections of the last run to time out.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into()).map(Self)
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }

    pub fn serving(self, role: Role) -> Listener {
        Listener { socket: self.0, role }
    }
}

/// A socket with its role.
pub struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) role: Role,
}
