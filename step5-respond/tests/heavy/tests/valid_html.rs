//! The pages of step 5 are valid HTML, whatever sentence they say.

use scraper::{Html, Selector};
use step5_respond::response::Response;

/// The text of an element of a page that says this sentence.
fn text_of(element: &str, sentence: &str) -> String {
    let response = Response::sentence("200 OK", sentence);
    let page = Html::parse_document(std::str::from_utf8(&response.body).expect("it is UTF-8"));
    assert_eq!(page.errors, Vec::<&str>::new(), "a valid page has no parse errors");
    let selector = Selector::parse(element).expect("a selector");
    page.select(&selector).flat_map(|found| found.text()).collect()
}

#[test]
fn a_page_says_its_sentence_and_its_status() {
    let sentence = "Hello, World! This is a simple web server.";
    assert_eq!(text_of("html[lang=en] h1", sentence), sentence);
    assert_eq!(text_of("title", sentence), "200 OK");
}

#[test]
fn what_means_something_else_in_html_is_shown_and_not_obeyed() {
    let sentence = "</h1><script>alert(\"1 < 2 && 2 > 1\")</script>&lt;";
    assert_eq!(text_of("h1", sentence), sentence);
    assert_eq!(text_of("script", sentence), "");
}

#[test]
fn a_page_says_how_its_letters_are_written_and_that_it_fits_a_phone() {
    let response = Response::sentence("200 OK", "Hello");
    let page = Html::parse_document(std::str::from_utf8(&response.body).expect("it is UTF-8"));
    for element in ["meta[charset=utf-8]", "meta[name=viewport]"] {
        assert!(page.select(&Selector::parse(element).unwrap()).next().is_some(), "{element}");
    }
}
