//! The pages for people as they are sent: what they load, what they may load, and that vendored files are what they say.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use api::{compat_document, document};
use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::site::{Answer, Site, databases, on_each};

/// A file that somebody else made, as it is stored and as it was made.
pub(crate) struct Vendored {
    pub(crate) stored: Vec<u8>,
    pub(crate) plain: Vec<u8>,
}

/// Reads a vendored file and holds it against its record.
pub(crate) fn vendored(file: &str) -> Vendored {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let stored = fs::read(&path).unwrap();
    let mut plain = Vec::new();
    brotli_decompressor::BrotliDecompress(&mut stored.as_slice(), &mut plain).unwrap();
    let record: Value = serde_json::from_slice(&fs::read(beside(&path, "json")).unwrap()).unwrap();
    let sum: String = Sha256::digest(&plain)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(record["sha256"], sum, "{file} is not what its record says");
    for member in ["package", "version", "file", "licence"] {
        assert!(record[member].as_str().is_some_and(|text| !text.is_empty()));
    }
    Vendored { stored, plain }
}

/// `scalar.js.br` has `scalar.json` and `scalar.LICENSE` beside it.
fn beside(path: &Path, end: &str) -> PathBuf {
    let name = path.file_name().unwrap().to_str().unwrap();
    let (stem, _) = name.split_once('.').unwrap();
    path.with_file_name(format!("{stem}.{end}"))
}

#[test]
fn vendored_files_are_the_recorded_ones_and_have_their_licence() {
    for file in ["web/vendor/scalar.js.br", "tests/vendor/axe.min.js.br"] {
        assert!(vendored(file).plain.len() > 100_000);
        let licence = beside(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file), "LICENSE");
        assert!(fs::read_to_string(licence).unwrap().contains("License"));
    }
}

async fn ask(site: &Site, path: &str, headers: &[(&str, &str)]) -> Answer {
    site.send_raw(None, Method::GET, path, None, headers).await
}

/// What a page refers to.
fn references(page: &str) -> Vec<String> {
    ["src=\"", "href=\""]
        .into_iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_pages_refer_to_this_server_only_and_to_nothing_that_is_missing() {
    on_each("head", async |site| {
        for path in ["/", "/docs"] {
            let page = ask(site, path, &[]).await.expect(200);
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            for placeholder in [".css}", ".js}", "{operations}"] {
                assert!(
                    !page.text.contains(placeholder),
                    "{placeholder} is left in {path}"
                );
            }
            let references = references(&page.text);
            assert!(references.len() >= 5, "{references:?}");
            for reference in references.iter().filter(|it| *it != "data:,") {
                assert!(
                    reference.starts_with('/') && !reference.starts_with("//"),
                    "{reference}"
                );
                ask(site, reference, &[]).await.expect(200);
            }
        }
    })
    .await;
}

/// Run as they are shown, by a shell.
#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_first_page_sign_somebody_up_and_make_a_task() {
    for more in [
        &[][..],
        &["--environment", "production"],
        &["--public-url", "http://todo.example"],
    ] {
        for database in databases().await {
            let site = Site::open(database, "head", more).await;
            let page = ask(&site, "/", &[]).await.expect(200).text;
            let shown = page.split("<pre").nth(1).unwrap();
            let shown = shown.split("<code>").nth(1).unwrap();
            let commands = shown.split("</code>").next().unwrap();
            assert!(
                commands.contains("/api/v1/auth/register") && !commands.contains("&amp;"),
                "{commands}"
            );
            let (api, rest) = commands.split_once('\n').unwrap();
            let own = site.url("");
            let expected = more.last().filter(|it| it.starts_with("http")).copied();
            assert_eq!(api, format!("API={}", expected.unwrap_or(&own)));
            let output = Command::new("sh")
                .args(["-e", "-c", &format!("API={own}\n{rest}")])
                .output()
                .unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{said}");
            assert!(said.starts_with("{\"id\":1,"), "{said}");
            assert!(said.contains("{\"data\":[{\"id\":1,"), "{said}");
            site.close().await;
        }
    }
}

#[tokio::test]
async fn the_documents_are_compact_and_packed_for_those_who_say_that_they_can_unpack() {
    on_each("head", async |site| {
        for (path, document) in [
            ("/openapi.json", document()),
            ("/openapi-compat.json", compat_document()),
        ] {
            let written = document.to_json();
            assert!(!written.contains('\n'));
            // Programs that say nothing keep what they get as it is.
            for accepted in [None, Some("identity"), Some("br;q=0, gzip;q=0")] {
                let headers = accepted.map(|accepted| ("accept-encoding", accepted));
                let plain = ask(site, path, headers.as_slice()).await.expect(200);
                assert_eq!(plain.header("content-encoding"), "", "{accepted:?}");
                assert!(plain.text == written, "{path}");
            }
            for encoding in ["gzip", "br"] {
                let request = reqwest::Client::new()
                    .get(site.url(path))
                    .header("accept-encoding", encoding);
                let packed = request.send().await.unwrap();
                assert_eq!(packed.headers()["content-encoding"], encoding);
                let length = packed.bytes().await.unwrap().len();
                assert!(
                    length < written.len() / 8,
                    "{path}: {length} of {}",
                    written.len()
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_slash_too_many_leads_to_the_reference() {
    on_each("003", async |site| {
        let found = ask(site, "/docs/", &[]).await.expect(200);
        assert_eq!(found.text, ask(site, "/docs", &[]).await.text);
    })
    .await;
}

#[tokio::test]
async fn a_page_may_load_only_what_its_policy_names() {
    on_each("head", async |site| {
        let policy = async |path: &str| {
            ask(site, path, &[])
                .await
                .header("content-security-policy")
                .to_owned()
        };
        assert_eq!(
            policy("/").await,
            "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        );
        assert_eq!(
            policy("/docs").await,
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; \
             connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_page_loads_may_be_kept_forever_and_the_page_is_asked_for_again() {
    on_each("head", async |site| {
        let page = ask(site, "/docs", &[]).await.expect(200);
        assert_eq!(page.header("cache-control"), "no-cache");
        let known = [("if-none-match", page.header("etag"))];
        ask(site, "/docs", &known).await.expect(304);
        let loaded: Vec<String> = references(&page.text)
            .into_iter()
            .filter(|it| it.starts_with("/assets/"))
            .collect();
        assert_eq!(loaded.len(), 3, "{loaded:?}");
        for path in loaded {
            let asset = ask(site, &path, &[]).await.expect(200);
            assert_eq!(
                asset.header("cache-control"),
                "public, max-age=31536000, immutable"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_reference_is_sent_packed_to_everybody_and_plain_to_nobody() {
    let vendored = vendored("web/vendor/scalar.js.br");
    on_each("head", async |site| {
        let page = ask(site, "/docs", &[]).await.expect(200);
        let path = references(&page.text)
            .into_iter()
            .find(|it| it.contains("scalar"))
            .unwrap();
        let client = reqwest::Client::new();
        for (accepted, encoding) in [
            (Some("gzip, br"), "br"),
            (Some("br;q=0, gzip"), "gzip"),
            (Some("gzip"), "gzip"),
            (None, "gzip"),
        ] {
            let request = client.get(site.url(&path));
            let request = match accepted {
                Some(accepted) => request.header("accept-encoding", accepted),
                None => request,
            };
            let response = request.send().await.unwrap();
            let headers = response.headers();
            assert_eq!(headers["content-encoding"], encoding, "{accepted:?}");
            assert_eq!(headers["vary"], "accept-encoding");
            let bytes = response.bytes().await.unwrap();
            match encoding {
                "br" => assert!(bytes == vendored.stored),
                _ => {
                    let mut plain = Vec::new();
                    GzDecoder::new(bytes.as_ref()).read_to_end(&mut plain).unwrap();
                    assert!(plain == vendored.plain);
                }
            }
        }
        let refused = ask(site, &path, &[("accept-encoding", "identity")]).await;
        assert_eq!(refused.expect(406).code(), "NOT_ACCEPTABLE");
    })
    .await;
}

#[tokio::test]
async fn the_reference_names_every_operation_without_script() {
    on_each("head", async |site| {
        let page = ask(site, "/docs", &[]).await.expect(200).text;
        let document = serde_json::to_value(document()).unwrap();
        let without_script = page.split("<noscript>").last().unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys().filter(|it| *it != "head") {
                let line = format!("<code>{} {path}</code>", method.to_uppercase());
                assert!(without_script.contains(&line), "{line}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn programs_find_the_document_by_the_catalog() {
    on_each("head", async |site| {
        let catalog = ask(site, "/.well-known/api-catalog", &[]).await.expect(200);
        assert!(
            catalog
                .header("content-type")
                .starts_with("application/linkset+json")
        );
        for (relation, links) in catalog.json()["linkset"][0].as_object().unwrap() {
            if relation == "anchor" {
                continue;
            }
            for link in links.as_array().unwrap() {
                let target = link["href"].as_str().unwrap();
                ask(site, target, &[]).await.expect(200);
            }
        }
    })
    .await;
}
