//! The picture of a port, in text.

use colored::{Color, Colorize};
use observer::port::{Connection, Listener, Owner, Port, System};
use std::io;

/// This many clients of a kind are shown one by one.
const MOST: usize = 10;
/// This many free places are shown one by one.
const MOST_PLACES: usize = 20;

// The colors of the steps, as they are in the log.
const SOCKET: Color = Color::Yellow;
const BIND: Color = Color::Green;
const LISTEN: Color = Color::BrightMagenta;
const ACCEPT: Color = Color::BrightBlue;
const OTHER: Color = Color::Cyan;

/// Draws a port again and again.
#[derive(Default)]
pub struct Artist {
    system: System,
}

impl Artist {
    /// Draws a port as it is now. `None` if it changes too fast.
    pub fn draw(&mut self, number: u16) -> io::Result<Option<String>> {
        Ok(self.system.look(number)?.map(|port| draw(&port, number)))
    }
}

fn draw(port: &Port, number: u16) -> String {
    let mut lines = Lines::default();
    if port.bound.is_empty() && port.listeners.is_empty() {
        lines.add("free", OTHER, &format!("No socket has port {number}"));
    }
    for sockets in port.nowhere.chunk_by(|one, other| one.process == other.process) {
        let program = &sockets[0].program;
        let (first, last) = (sockets[0].descriptor, sockets[sockets.len() - 1].descriptor);
        let which = match sockets.len() {
            1 => format!("{program}, descriptor {first}: it has no address"),
            count => format!("{program}, {count} sockets from descriptor {first} to {last}"),
        };
        lines.add("socket", SOCKET, &which);
    }
    for (address, owner) in &port.bound {
        lines.add("bound", BIND, &format!("{address}: {}", name(owner.as_ref())));
        lines.add_below("It does not listen, so clients are refused");
    }
    for listener in &port.listeners {
        lines.add(
            "listens",
            LISTEN,
            &format!("{}: {}", listener.address, name(listener.owner.as_ref())),
        );
        draw_queue(listener, &mut lines);
    }
    let clients = port.unanswered.iter().map(|client| format!("{client}: its SYN has no answer"));
    lines.add_some("no answer", LISTEN, clients);
    let clients = port.half_in.iter().map(|client| format!("{client}: its ACK is missing"));
    lines.add_some("handshake", LISTEN, clients);
    lines.add_some("accepted", ACCEPT, accepted(port));
    let clients = port.closing.iter().map(|client| format!("{client}: it has not closed yet"));
    lines.add_some("closed", OTHER, clients);
    match port.left_over {
        0 => {}
        1 => lines.add("left over", OTHER, "1 connection in TIME_WAIT"),
        count => lines.add("left over", OTHER, &format!("{count} connections in TIME_WAIT")),
    }
    lines.text
}

fn draw_queue(listener: &Listener, lines: &mut Lines) {
    let (taken, places, backlog) = (listener.taken, listener.places(), listener.backlog);
    let words = format!("{taken} of {places} places taken (backlog {backlog}, and one more)");
    lines.add("queue", LISTEN, &words);
    let square = "■".color(LISTEN);
    for waiting in listener.waiting.iter().take(MOST) {
        let came = match waiting.unread {
            0 => "nothing has come".to_string(),
            count => format!("{} come", has(count)),
        };
        let left = if waiting.client_is_done { ", and it has left" } else { "" };
        lines.add_below(&format!("{square} {}: {came}{left}", waiting.client));
    }
    if listener.waiting.len() > MOST {
        lines.add_below(&format!("{square} and {} more", listener.waiting.len() - MOST));
    }
    match listener.broken() {
        0 => {}
        1 => lines.add_below(&format!("{square} a client that cut its connection")),
        count => {
            lines.add_below(&format!("{square} {count} clients that cut their connections"));
        }
    }
    match places.saturating_sub(taken) {
        0 => {}
        free if free <= MOST_PLACES => lines.add_below(&vec!["□"; free].join(" ")),
        free => lines.add_below(&format!("□ {free} places are free")),
    }
}

fn has(bytes: u32) -> String {
    if bytes == 1 { "1 byte has".to_string() } else { format!("{bytes} bytes have") }
}

/// The accepted connections, in the order of their descriptors.
fn accepted(port: &Port) -> impl ExactSizeIterator<Item = String> {
    let mut accepted: Vec<&Connection> = port.accepted.iter().collect();
    accepted.sort_by_key(|connection| connection.owner.as_ref().map(|owner| owner.descriptor));
    let is_listening = |program: &Owner| {
        port.listeners
            .iter()
            .flat_map(|listener| &listener.owner)
            .any(|owner| owner.process == program.process)
    };
    accepted.into_iter().map(move |connection| {
        let owner = match &connection.owner {
            Some(owner) if is_listening(owner) => format!("descriptor {}", owner.descriptor),
            owner => name(owner.as_ref()),
        };
        let read = match connection.unread {
            0 => "nothing unread".to_string(),
            1 => "1 byte unread".to_string(),
            count => format!("{count} bytes unread"),
        };
        let end = match (connection.client_is_done, connection.server_is_done) {
            (false, false) => "",
            (true, false) => ", it has left",
            (false, true) => ", it gets no more",
            (true, true) => ", both are done",
        };
        format!("{}: {owner}, {read}{end}", connection.client)
    })
}

fn name(owner: Option<&Owner>) -> String {
    match owner {
        Some(owner) => format!("{}, descriptor {}", owner.program, owner.descriptor),
        None => "somebody else's program".to_string(),
    }
}

/// The lines of a picture, tagged as those of the log.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, tag: &str, color: Color, words: &str) {
        let tag = format!("[{tag}]").black().on_color(color);
        self.text.extend([&*tag.to_string(), " ", words, "\n"]);
    }

    fn add_below(&mut self, words: &str) {
        self.text.extend(["    ", words, "\n"]);
    }

    fn add_some(
        &mut self,
        tag: &str,
        color: Color,
        clients: impl ExactSizeIterator<Item = String>,
    ) {
        let more = clients.len().saturating_sub(MOST);
        clients.take(MOST).for_each(|words| self.add(tag, color, &words));
        if more > 0 {
            self.add(tag, color, &format!("and {more} more"));
        }
    }
}
