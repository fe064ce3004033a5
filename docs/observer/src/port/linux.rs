//! Linux tells every program of all its sockets, and does so over a socket: `sock_diag(7)`.

use super::owners::{self, Owners};
use super::{Entry, Listener, Owner, Port, State, listener_of, sort};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How often the sockets of a port are listed, to find them at rest.
const TRIES: usize = 20;

/// The system, and what is remembered of it between two looks.
#[derive(Debug, Default)]
pub struct System {
    owners: Owners,
    /// The clients that waited at the last look, in the order in which they were first seen.
    queue: Vec<SocketAddr>,
    /// Whether some clients had no answer then.
    has_unanswered: bool,
}

impl System {
    /// Looks at a port. `None` where so much came and went that no list of its sockets was true.
    ///
    /// # Errors
    /// Why the system does not tell.
    pub fn look(&mut self, number: u16) -> io::Result<Option<Port>> {
        let mut before = None;
        for _ in 0..TRIES {
            let port = self.list(number)?;
            // A socket that listens says how many clients wait. Then the clients are listed, and
            // meanwhile some come and some go. Only one that has broken off is never listed.
            let is_true = |queue: &Listener| queue.taken == queue.waiting.len();
            let can_be_true = |queue: &Listener| queue.taken >= queue.waiting.len();
            let is_at_rest = before.as_ref() == Some(&port);
            if port.listeners.iter().all(is_true)
                || (is_at_rest && port.listeners.iter().all(can_be_true))
            {
                return self.complete(port, number).map(Some);
            }
            before = Some(port);
        }
        Ok(None)
    }

    /// Lists the sockets that have a port. The system keeps few sockets that listen, and finds them
    /// at once. To find the others it looks through all that it has, so ask for them with care.
    fn list(&mut self, number: u16) -> io::Result<Port> {
        let mut list = List::default();
        list.ask(&FAMILIES, LISTEN, number, ANY)?;
        let mut families: Vec<u8> = list.sockets.iter().map(|socket| socket.family).collect();
        families.dedup();
        if families.is_empty() {
            families = FAMILIES.to_vec();
            list.ask(&families, BOUND, number, ANY)?;
            // They are listed whatever their port is.
            list.sockets.retain(|socket| socket.local.port() == number);
        }
        list.ask(&families, CONNECTION, number, ANY)?;
        let inodes = list.sockets.iter().map(|socket| socket.inode);
        self.owners.find(inodes.filter(|inode| *inode != 0));
        let port = sort(&list.sockets, |socket| self.owners.of(socket.inode));
        Ok(Port { left_over: list.left_over, ..port })
    }

    /// Adds what is not among the port's own sockets.
    fn complete(&mut self, mut port: Port, number: u16) -> io::Result<Port> {
        if port.bound.is_empty() && port.listeners.is_empty() {
            port.nowhere = nowhere()?;
        }
        let is_full = |queue: &Listener| queue.taken >= queue.places();
        if self.has_unanswered || port.listeners.iter().any(is_full) {
            // There is only the client's own socket.
            let mut list = List::default();
            list.ask(&FAMILIES, SYN_SENT, ANY, number)?;
            for socket in list.sockets.iter().filter(|socket| is_within_this_machine(socket)) {
                // Meanwhile another client may have got this port.
                let is_new = !port.has(socket.local);
                if is_new && listener_of(&mut port, socket.remote).is_some() {
                    port.unanswered.push(socket.local);
                }
            }
            self.has_unanswered = !port.unanswered.is_empty();
        }
        self.sort_queues(&mut port);
        Ok(port)
    }

    /// The system does not say who came first. So those stand first that were seen first.
    fn sort_queues(&mut self, port: &mut Port) {
        let place = |client: &SocketAddr| self.queue.iter().position(|seen| seen == client);
        for queue in &mut port.listeners {
            queue.waiting.sort_by_key(|waiting| place(&waiting.client).unwrap_or(usize::MAX));
        }
        let waiting = port.listeners.iter().flat_map(|queue| &queue.waiting);
        self.queue = waiting.map(|waiting| waiting.client).collect();
    }
}

/// A client that connects to an address of its own machine gets the same one.
fn is_within_this_machine(client: &Entry) -> bool {
    client.remote.ip().is_loopback() || client.remote.ip() == client.local.ip()
}

/// The sockets of programs that were started here, where they are in no list of the system.
fn nowhere() -> io::Result<Vec<Owner>> {
    let mut sockets = owners::sockets_of_programs_started_here();
    if !sockets.is_empty() {
        let mut elsewhere = owners::sockets_that_are_not_tcp();
        let mut list = List::default();
        list.ask(&FAMILIES, LISTEN | BOUND | SYN_SENT | CONNECTION, ANY, ANY)?;
        elsewhere.extend(list.sockets.iter().map(|socket| socket.inode));
        sockets.retain(|(inode, _)| !elsewhere.contains(inode));
    }
    let mut owners: Vec<_> = sockets.into_iter().map(|(_, owner)| owner).collect();
    owners.sort();
    Ok(owners)
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const FAMILIES: [u8; 2] = [AF_INET, AF_INET6];
/// Any port.
const ANY: u16 = 0;
// A bit for each state, as in include/net/tcp_states.h.
const SYN_SENT: u32 = 1 << 2;
const LISTEN: u32 = 1 << 10;
const BOUND: u32 = 1 << 13;
const CONNECTION: u32 = !(SYN_SENT | LISTEN | BOUND);

/// What the system lists.
#[derive(Default)]
struct List {
    sockets: Vec<Entry>,
    /// How many connections are in `TIME_WAIT`. There may be thousands.
    left_over: usize,
}

impl List {
    /// Asks for the sockets in these states that have this port, and whose other side has that one.
    fn ask(&mut self, families: &[u8], states: u32, own: u16, other: u16) -> io::Result<()> {
        families.iter().try_for_each(|family| list_family(self, *family, states, own, other))
    }
}

/// Asks with a message as `netlink(7)` and `sock_diag(7)` describe it, and reads the answers.
fn list_family(list: &mut List, family: u8, states: u32, own: u16, other: u16) -> io::Result<()> {
    const AF_NETLINK: i32 = 16;
    const SOCK_RAW: i32 = 3;
    const NETLINK_SOCK_DIAG: i32 = 4;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const REQUEST_DUMP: u16 = 0x301;
    const IPPROTO_TCP: u8 = 6;
    const LENGTH: u32 = 72;

    let (domain, kind) = (Domain::from(AF_NETLINK), Type::from(SOCK_RAW));
    let mut socket = Socket::new(domain, kind, Some(Protocol::from(NETLINK_SOCK_DIAG)))?;
    let mut message = Vec::new();
    message.extend(LENGTH.to_ne_bytes());
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    message.extend([0; 8]); // Its number, and who sends it.
    message.extend([family, IPPROTO_TCP, 0, 0]);
    message.extend(states.to_ne_bytes());
    message.extend(own.to_be_bytes());
    message.extend(other.to_be_bytes());
    message.extend([0; 44]); // From and to any address.
    socket.send(&message)?;

    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = socket.read(&mut buffer)?;
        let mut rest = Bytes(&buffer[..count]);
        while !rest.0.is_empty() {
            let (length, kind) = (rest.u32(0)? as usize, rest.u16(4)?);
            let answer = Bytes(rest.part(16, length)?);
            match kind {
                SOCK_DIAG_BY_FAMILY if answer.part(1, 2)? == [6] => list.left_over += 1,
                SOCK_DIAG_BY_FAMILY => list.sockets.extend(read_entry(answer)?),
                // All others end the list, with an error or with 0.
                _ => match i32::from_ne_bytes(answer.array(0)?) {
                    0 => return Ok(()),
                    error => return Err(io::Error::from_raw_os_error(-error)),
                },
            }
            rest = Bytes(&rest.0[length.next_multiple_of(4).min(rest.0.len())..]);
        }
    }
}

/// Reads one answer. `None` where its state is one that is not known here.
fn read_entry(answer: Bytes) -> io::Result<Option<Entry>> {
    let address = |port: usize, ip: usize| -> io::Result<SocketAddr> {
        let ip: IpAddr = match answer.part(0, 1)? {
            [AF_INET] => Ipv4Addr::from(u32::from_be(answer.u32(ip)?)).into(),
            _ => Ipv6Addr::from(answer.array::<16>(ip)?).into(),
        };
        Ok(SocketAddr::new(ip.to_canonical(), u16::from_be(answer.u16(port)?)))
    };
    let state = match answer.part(1, 2)? {
        [1] => State::Established,
        [2] => State::SynSent,
        [3 | 12] => State::SynReceived,
        [4] => State::FinWait1,
        [5] => State::FinWait2,
        [7 | 13] => State::Bound,
        [8] => State::CloseWait,
        [9] => State::LastAck,
        [10] => State::Listen,
        [11] => State::Closing,
        _ => return Ok(None),
    };
    Ok(Some(Entry {
        family: answer.part(0, 1)?[0],
        state,
        local: address(4, 8)?,
        remote: address(6, 24)?,
        received: answer.u32(56)?,
        backlog: answer.u32(60)?,
        inode: answer.u32(68)?,
    }))
}

/// Bytes that hold numbers. One that is not there is an error, and ends nothing.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn part(self, start: usize, end: usize) -> io::Result<&'a [u8]> {
        self.0.get(start..end).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn array<const N: usize>(self, start: usize) -> io::Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.part(start, start + N)?);
        Ok(array)
    }

    fn u16(self, start: usize) -> io::Result<u16> {
        Ok(u16::from_ne_bytes(self.array(start)?))
    }

    fn u32(self, start: usize) -> io::Result<u32> {
        Ok(u32::from_ne_bytes(self.array(start)?))
    }
}
