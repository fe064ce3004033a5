//! Makes pages of HTML: of Markdown, of code, and of folders.

use crate::{files, picture};
use comrak::nodes::{NodeHtmlBlock, NodeValue};
use comrak::{Arena, Options, format_html, html, parse_document};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt::Write;
use std::fs;
use std::time::UNIX_EPOCH;

/// The pages in the order in which they are read.
const ROAD: [&str; 10] = [
    "README.md",
    "docs/README.md",
    "docs/step1-socket.md",
    "docs/step2-bind.md",
    "docs/step3-listen.md",
    "docs/step4-accept.md",
    "docs/step5-respond.md",
    "docs/everyone.md",
    "docs/documents.md",
    "docs/going-further.md",
];

/// The pages beside the road.
const BESIDE: [&str; 3] = ["docs/words.md", "docs/troubleshooting.md", "docs/teaching.md"];

/// What means something else than itself in the path of a URL, or in HTML.
const RESERVED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'?');

/// A page of the course. `path` is where its links start from.
pub fn from_markdown(path: &str, text: &str) -> String {
    // The link to the next page is a part of every page of the road, and not only of its text.
    let end = next_after(path).and_then(|_| text.rfind("\n---\n\nNext: "));
    let text = &text[..end.unwrap_or(text.len())];
    let arena = Arena::new();
    let options = options();
    let document = parse_document(&arena, text, &options);
    for node in document.descendants() {
        let mut data = node.data.borrow_mut();
        let new_value = match &mut data.value {
            NodeValue::Link(link) | NodeValue::Image(link) => {
                if let Some((target, rest)) = files::target(path, &link.url) {
                    link.url = format!("{}{rest}", address(&target));
                }
                None
            }
            NodeValue::CodeBlock(block) => Some(code_block(&block.info, &block.literal)),
            _ => None,
        };
        if let Some(literal) = new_value {
            data.value = NodeValue::HtmlBlock(NodeHtmlBlock { block_type: 6, literal });
        }
    }
    let mut main = String::new();
    // Writing to a String can't fail.
    let _ = format_html(document, &options, &mut main);
    // A wide table scrolls, and not the page.
    let main = main.replace("<table>", "<div class=\"scroll\" tabindex=\"0\"><table>");
    let main = main.replace("</table>", "</table></div>");
    // The mark beside a heading is for the mouse, and would be read aloud with each heading.
    let mark = "class=\"anchor\"";
    let main = main.replace(mark, &format!("{mark} tabindex=\"-1\" aria-hidden=\"true\""));
    complete(path, &title(text).unwrap_or_default(), &main)
}

/// A file, each line with its number. `#L3` leads to the third one.
pub fn from_code(path: &str, text: &str) -> String {
    let mut main = format!("<h1>{}</h1>\n<pre class=\"file\" tabindex=\"0\"><code>", escape(path));
    for (number, line) in text.lines().enumerate() {
        let _ = writeln!(main, "<span id=\"L{}\">{}</span>", number + 1, escape(line));
    }
    complete(path, path, &(main + "</code></pre>"))
}

/// The names of what is in a folder.
pub fn from_folder(path: &str, names: &[String]) -> String {
    let mut main = format!("<h1>{}</h1>\n<ul>\n", escape(path));
    for name in names {
        let target = address(&format!("{path}/{name}"));
        let _ = writeln!(main, "<li><a href=\"{target}\">{}</a></li>", escape(name));
    }
    complete(path, path, &(main + "</ul>"))
}

/// What GitHub adds to Markdown.
fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.header_id_prefix = Some(String::new());
    options.render.r#unsafe = true; // The pages fold parts away with <details>.
    options
}

/// A block of code. In a block of a terminal only what is typed is selected and copied, so the end
/// of a line belongs to what is printed below it.
fn code_block(info: &str, code: &str) -> String {
    let is_terminal = info.split(' ').next() == Some("console");
    let mut lines = String::new();
    let mut goes_on = false; // A command that ends with \ goes on in the next line.
    for (number, line) in code.lines().enumerate() {
        let end = if number == 0 { "" } else { "\n" };
        let command = line.strip_prefix("$ ");
        lines += &if !is_terminal {
            format!("{end}{}", escape(line))
        } else if goes_on {
            format!("{end}<kbd>{}</kbd>", escape(line))
        } else if let Some(command) = command {
            format!("{end}<kbd class=\"prompt\">{}</kbd>", escape(command))
        } else {
            format!("<samp>{end}{}</samp>", escape(line))
        };
        goes_on = (goes_on || command.is_some()) && line.ends_with('\\');
    }
    let has_text = !is_terminal || lines.contains("<kbd");
    let copy = if has_text { "<button type=\"button\">Copy</button>" } else { "" };
    let info = escape(info);
    format!(
        "<div class=\"block {info}\">{copy}<pre tabindex=\"0\"><code>{lines}</code></pre></div>\n"
    )
}

/// The page around it: the road, and the way to the next page.
fn complete(path: &str, title: &str, main: &str) -> String {
    let item = |page: &&str| {
        let here = if *page == path { " aria-current=\"page\"" } else { "" };
        title_of(page)
            .map(|title| format!("<li><a href=\"/{page}\"{here}>{}</a></li>\n", escape(&title)))
    };
    let road: String = ROAD.iter().filter_map(item).collect();
    let beside: String = BESIDE.iter().filter_map(item).collect();
    let next = next_after(path).map_or(String::new(), |(page, title)| {
        format!("<a class=\"next\" rel=\"next\" href=\"/{page}\">Next: {}</a>", escape(&title))
    });
    include_str!("page.html")
        .replace("{style}", include_str!("style.css"))
        .replace("{title}", &escape(title))
        .replace("{road}", &road)
        .replace("{beside}", &beside)
        .replace("{next}", &next)
        .replace("{main}", main)
}

/// The page that is read after this one, and its title.
fn next_after(path: &str) -> Option<(&'static str, String)> {
    let mut later = ROAD.into_iter().skip_while(|page| *page != path).skip(1);
    later.find_map(|page| Some((page, title_of(page)?)))
}

/// The first heading of a page. `None` if there is no such page.
fn title_of(path: &str) -> Option<String> {
    title(&fs::read_to_string(files::on_disk(path)).ok()?)
}

fn title(text: &str) -> Option<String> {
    Some(text.lines().find_map(|line| line.strip_prefix("# "))?.to_string())
}

/// The path as a link. That of a picture changes when the picture does.
fn address(path: &str) -> String {
    let link = format!("/{}", utf8_percent_encode(path, RESERVED));
    let changed = fs::metadata(files::on_disk(path)).and_then(|file| file.modified());
    match changed.map(|time| time.duration_since(UNIX_EPOCH)) {
        Ok(Ok(time)) if picture(path).is_some() => format!("{link}?{}", time.as_millis()),
        _ => link,
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    let _ = html::escape(&mut escaped, text);
    escaped
}
