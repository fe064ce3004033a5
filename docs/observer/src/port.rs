//! What the system knows of a port, at one moment.

use std::collections::BTreeMap;
use std::net::SocketAddr;

mod linux;
mod owners;
pub use linux::System;

/// The sockets of a port. Each client is in one place.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// Sockets without an address, of programs that were started here. Empty once a socket has the port.
    pub nowhere: Vec<Owner>,
    /// Sockets that have the port and do not listen, and who has them.
    pub bound: Vec<(SocketAddr, Option<Owner>)>,
    /// Sockets that listen.
    pub listeners: Vec<Listener>,
    /// Clients on this machine whose SYN has got no answer.
    pub unanswered: Vec<SocketAddr>,
    /// Clients whose SYN was answered, and whose ACK is missing.
    pub half_in: Vec<SocketAddr>,
    /// Connections that a program has accepted.
    pub accepted: Vec<Connection>,
    /// Clients that have not closed yet, and the program has.
    pub closing: Vec<SocketAddr>,
    /// How many connections are over, and still remembered (`TIME_WAIT`).
    pub left_over: usize,
}

impl Port {
    /// Whether there is a connection with this client.
    fn has(&self, client: SocketAddr) -> bool {
        let in_queues = self.listeners.iter().flat_map(|listener| &listener.waiting);
        in_queues.chain(&self.accepted).any(|connection| connection.client == client)
            || self.half_in.contains(&client)
            || self.closing.contains(&client)
    }
}

/// A socket that listens, and its queue.
#[derive(Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens.
    pub address: SocketAddr,
    /// Who has it.
    pub owner: Option<Owner>,
    /// How many clients may wait, as the program said it.
    pub backlog: u32,
    /// The clients in the queue.
    pub waiting: Vec<Connection>,
    /// How many places of the queue are taken.
    pub taken: usize,
}

impl Listener {
    /// How many places the queue has. Linux lets one more client in than the backlog says.
    pub fn places(&self) -> usize {
        self.backlog as usize + 1
    }

    /// How many places are taken by clients that cut their connections: the system keeps
    /// the place, and forgets the client.
    pub fn broken(&self) -> usize {
        self.taken.saturating_sub(self.waiting.len())
    }
}

/// A connection, as the server's side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The client's address.
    pub client: SocketAddr,
    /// How many bytes have come that the program has not read.
    pub unread: u32,
    /// Whether the client sends no more. Most often it has left.
    pub client_is_done: bool,
    /// Whether the program sends no more.
    pub server_is_done: bool,
    /// Who has its socket. Nobody, while it waits in the queue.
    pub owner: Option<Owner>,
}

/// A program, and the descriptor by which it knows the socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The program's name.
    pub program: String,
    /// Its number.
    pub process: u32,
    /// The number of the socket in the program.
    pub descriptor: u32,
}

/// What the system says of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    family: u8,
    state: State,
    local: SocketAddr,
    remote: SocketAddr,
    /// Bytes that nobody has read. If the socket listens, clients that nobody has accepted.
    received: u32,
    /// If the socket listens, its backlog.
    backlog: u32,
    /// The number of the socket in the system. 0 if no program has it.
    inode: u32,
}

/// The states of a TCP socket that matter here, as RFC 9293 names them, and one of Linux: `Bound`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Established,
    SynSent,
    SynReceived,
    FinWait1,
    FinWait2,
    Bound,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

/// Puts each socket where it belongs.
fn sort(entries: &[Entry], owner: impl Fn(&Entry) -> Option<Owner>) -> Port {
    let mut port = Port::default();
    // The listening sockets first: the others belong to them.
    for entry in entries.iter().filter(|entry| entry.state == State::Listen) {
        port.listeners.push(Listener {
            address: entry.local,
            owner: owner(entry),
            backlog: entry.backlog,
            waiting: Vec::new(),
            taken: entry.received as usize,
        });
    }
    // A connection that changes while the system lists it may be listed twice. The later entry counts.
    let connections: BTreeMap<_, _> =
        entries.iter().map(|entry| ((entry.remote, entry.local), entry)).collect();
    for entry in connections.into_values() {
        use State::{
            Bound, CloseWait, Closing, Established, LastAck, Listen, SynReceived, SynSent,
        };
        let client = entry.remote;
        let client_is_done = matches!(entry.state, CloseWait | LastAck | Closing);
        let connection = Connection {
            client,
            // The end of what the client sends counts like a byte.
            unread: entry.received.saturating_sub(client_is_done.into()),
            client_is_done,
            server_is_done: !matches!(entry.state, Established | CloseWait),
            owner: owner(entry),
        };
        match entry.state {
            Listen | SynSent => {}
            Bound => port.bound.push((entry.local, connection.owner)),
            SynReceived => port.half_in.push(client),
            Established | CloseWait if entry.inode == 0 => {
                if let Some(listener) = listener_of(&mut port, entry.local) {
                    listener.waiting.push(connection);
                }
            }
            _ if entry.inode == 0 => port.closing.push(client),
            _ => port.accepted.push(connection),
        }
    }
    port
}

/// The socket that takes the connections to an address.
fn listener_of(port: &mut Port, address: SocketAddr) -> Option<&mut Listener> {
    let all = &mut port.listeners;
    let exact = all.iter().position(|listener| listener.address == address);
    // 0.0.0.0 and [::] stand for all addresses of the machine.
    let any = || all.iter().position(|listener| listener.address.ip().is_unspecified());
    let index = exact.or_else(any)?;
    Some(&mut all[index])
}
