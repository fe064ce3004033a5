//! What the system knows of sockets. Linux shows it in files under /proc; other systems are not asked.

use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::{fs, path::Path};

/// Whether nobody else can bind this address. With `SO_REUSEADDR`, one that only a server that has
/// just ended holds is not taken.
pub fn is_taken(address: SocketAddr, after_a_server_that_ended: bool) -> bool {
    let Ok(socket) = Socket::new(Domain::for_address(address), Type::STREAM, None) else {
        return false;
    };
    if cfg!(unix) && after_a_server_that_ended {
        let _ = socket.set_reuse_address(true);
    }
    matches!(socket.bind(&address.into()), Err(error) if error.kind() == ErrorKind::AddrInUse)
}

/// An address of this machine that nobody has.
pub fn free_address() -> io::Result<SocketAddr> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = socket.local_addr()?.as_socket();
    address.ok_or(ErrorKind::AddrNotAvailable.into())
}

/// One row of the system's table of TCP sockets.
struct Row {
    local: SocketAddr,
    remote: SocketAddr,
    state: State,
    /// The number of the socket that a program has; 0 if no program has it (not yet, or no longer).
    inode: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Established,
    TimeWait,
    Listen,
    Other,
}

/// The TCP sockets whose line in the system's table contains this text; `None` if the system can't be asked. Most lines,
/// often tens of thousands, are connections that are over, so only the lines that matter are taken apart.
fn rows(text: &str) -> Option<Vec<Row>> {
    if !can_be_asked() {
        return None;
    }
    let files = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| fs::read_to_string(file).ok());
    let lines = files.iter().flatten().flat_map(|file| file.lines().skip(1));
    let rows = lines.filter(|line| line.contains(text)).filter_map(row).collect();
    files[0].is_some().then_some(rows)
}

/// The TCP sockets that have this port, on their own side or on the other.
fn rows_with(port: u16) -> Option<Vec<Row>> {
    rows(&format!(":{port:04X} "))
}

/// The state of a socket that listens, as the table writes it.
const LISTEN: &str = " 0A ";

fn row(line: &str) -> Option<Row> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    Some(Row {
        local: address(columns.get(1)?)?,
        remote: address(columns.get(2)?)?,
        state: match *columns.get(3)? {
            "01" => State::Established,
            "06" => State::TimeWait,
            "0A" => State::Listen,
            _ => State::Other,
        },
        inode: columns.get(9)?.parse().ok()?,
    })
}

/// An address as Linux writes it: hexadecimal, in words of the machine's own byte order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let words =
        (0..ip.len()).step_by(8).map(|at| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok());
    let bytes: Vec<u8> =
        words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip = match bytes[..] {
        [a, b, c, d] => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical(),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// Whether nobody listens on this port, and the system remembers connections of a server that has ended.
pub fn a_server_has_just_ended(address: SocketAddr) -> Option<bool> {
    let rows = rows_with(address.port())?;
    let has =
        |state| rows.iter().any(|row| row.local.port() == address.port() && row.state == state);
    Some(has(State::TimeWait) && !has(State::Listen))
}

/// Whether the server's program has accepted the connection of this client, and another client that it has accepted, and
/// not closed. `None` for what the system does not say.
pub fn accepted(client: &Socket) -> (Option<bool>, Option<SocketAddr>) {
    let address = |address: io::Result<SockAddr>| address.ok()?.as_socket();
    let (Some(own), Some(server)) = (address(client.local_addr()), address(client.peer_addr()))
    else {
        return (None, None);
    };
    let rows = rows_with(server.port()).unwrap_or_default();
    let is_own = |row: &&Row| row.remote == own && row.local.port() == server.port();
    let is_other = |row: &&Row| {
        let is_served = row.state == State::Established && row.inode != 0;
        row.local == server && row.remote != own && is_served
    };
    (
        rows.iter().find(is_own).map(|row| row.inode != 0),
        rows.iter().find(is_other).map(|row| row.remote),
    )
}

/// The program that listens at this address: its command line and its number.
pub fn who_listens(address: SocketAddr) -> Option<String> {
    let inodes: Vec<u64> = rows_with(address.port())?
        .iter()
        .filter(|row| row.local.port() == address.port() && row.state == State::Listen)
        .map(|row| row.inode)
        .collect();
    let owner =
        processes().find(|&id| sockets_of(id).iter().any(|inode| inodes.contains(inode)))?;
    let command = fs::read(format!("/proc/{owner}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    Some(format!("{} (process {owner})", command.trim().escape_debug()))
}

/// The addresses at which one of these processes listens.
pub fn listening(ids: &[u32]) -> Vec<SocketAddr> {
    let inodes: Vec<u64> = ids.iter().flat_map(|&id| sockets_of(id)).collect();
    let rows = rows(LISTEN).unwrap_or_default();
    let listens =
        rows.iter().filter(|row| row.state == State::Listen && inodes.contains(&row.inode));
    listens.map(|row| row.local).collect()
}

/// The numbers of all processes that can be seen.
pub fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The sockets of a process, by their numbers.
pub fn sockets_of(id: u32) -> Vec<u64> {
    let entries = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    let links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    links
        .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}

/// How many descriptors a process has.
pub fn descriptors_of(id: u32) -> usize {
    fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten().count()
}

/// How much time of the processor these processes have used, in ticks.
pub fn processor_time(ids: &[u32]) -> u64 {
    let stat = |id: &u32| fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let time = |stat: String| {
        // The name of the program stands in brackets, and may hold spaces.
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest.to_string()).unwrap_or_default();
        let columns: Vec<&str> = rest.split_whitespace().collect();
        let column = |n: usize| columns.get(n).and_then(|c| c.parse::<u64>().ok()).unwrap_or(0);
        column(11) + column(12)
    };
    ids.iter().map(|id| time(stat(id))).sum()
}

/// Whether this system answers the questions above.
pub fn can_be_asked() -> bool {
    cfg!(target_os = "linux") && Path::new("/proc/net/tcp").exists()
}
