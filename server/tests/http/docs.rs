//! The description, the reference and the page.

use remrembg::{Code, OPTIONS};
use remrembg_server::settings::settings_markdown;
use serde_json::Value;

use crate::service::{get, service};

#[test]
fn the_description_is_openapi_3_1_with_every_option() {
    let answer = service(&[])(get("/api/openapi"));
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let document: Value = serde_json::from_str(answer.text()).expect("it is JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let post = &document["paths"]["/rmbg"]["post"];
    let fields = &post["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"];
    assert_eq!(fields["image"]["contentMediaType"], "application/octet-stream");
    for spec in OPTIONS {
        let help = fields[spec.key]["description"].as_str().unwrap_or_else(|| panic!("{} is there", spec.key));
        assert!(help.starts_with(spec.help) && help.contains(spec.range), "{help}");
    }
    assert_eq!((&fields["w"]["maximum"], &fields["angle"]["minimum"]), (&10_000.into(), &(-360).into()));
    for code in Code::ALL.iter().filter(|code| ![403, 429, 499].contains(&code.status())) {
        assert!(post["responses"][code.status().to_string()].is_object(), "{} is described", code.name());
    }
}

#[test]
fn nothing_is_asked_of_another_host_and_the_policy_forbids_it() {
    let send = service(&[]);
    let files = ["/", "/page/style.css", "/page/script.js", "/page/icon.svg", "/api/docs/", "/api/docs/reference.js"];
    for path in files {
        let answer = send(get(path));
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("http"), "{path}: {policy}");
        let text = answer.text().replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://"), "{path} names another host");
    }
    let page = send(get("/"));
    assert!(!page.header("content-security-policy").contains("unsafe"));
    for spec in OPTIONS {
        assert!(page.text().contains(&format!("id=\"option-{}\"", spec.key)), "{} has a control", spec.key);
        assert!(page.text().contains(&format!("id=\"error-{}\"", spec.key)), "{} has a place for its error", spec.key);
    }
}

#[test]
fn the_reference_has_all_that_it_loads() {
    let send = service(&[]);
    // From where they are, as every address in a page: the service may be below a path of a reverse proxy.
    for (short, place) in [("/docs", "api/docs/"), ("/api/docs", "docs/")] {
        let answer = send(get(short));
        assert_eq!((answer.status, answer.header("location")), (308, place), "{short}");
    }
    let page = send(get("/api/docs/"));
    let pages = [page.text().to_owned(), send(get("/")).text().to_owned()];
    assert!(pages.iter().all(|page| !page.contains("=\"/")), "no address begins at the root");
    let names: Vec<_> = pages[0]
        .split('"')
        .filter(|part| !part.contains('/') && [".css", ".js"].iter().any(|end| part.ends_with(end)))
        .collect();
    assert_eq!(names.len(), 3);
    assert!(send(get("/api/docs/swagger-ui-bundle.js.LICENSE.txt")).text().contains("React"));
    for name in names {
        let answer = send(get(&format!("/api/docs/{name}")));
        let kind = if name.ends_with(".css") { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{name}");
        let known = if name.ends_with(".css") { ".swagger-ui" } else { "SwaggerUIBundle" };
        assert!(answer.text().contains(known), "{name}");
    }
}

#[test]
fn the_settings_in_the_documentation_are_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/server.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let (start, end) = ("<!-- settings: generated, see CONTRIBUTING.md -->\n", "<!-- end of settings -->");
    let (before, rest) = text.split_once(start).expect("it has a start");
    let (found, after) = rest.split_once(end).expect("it has an end");
    let fresh = format!("\n{}\n", settings_markdown());
    if std::env::var_os("REMREMBG_GENERATE").is_some() {
        std::fs::write(path, format!("{before}{start}{fresh}{end}{after}")).expect("it can be written");
    } else {
        assert!(found == fresh, "docs/server.md is stale, run `make generate`");
    }
}
