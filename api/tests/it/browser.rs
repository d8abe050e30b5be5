//! The pages in a real browser: Chromium, driven over its web driver, with axe looking for what keeps people out.
//!
//! The protocol is JSON over HTTP; the seven commands that are needed here are no reason for a client library.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::pages::vendored;
use crate::site::{Site, databases};

/// The key of an element's id in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Widths and colour schemes that a page must do with.
const VIEWS: [(u32, &str); 3] = [(1300, "light"), (1300, "dark"), (320, "light")];

struct Browser {
    driver: Child,
    _folder: tempfile::TempDir,
    client: Client,
    session: String,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings but these variables"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Browser {
    async fn open() -> Self {
        let program = variable("TEST_CHROMEDRIVER").unwrap_or_else(|| "chromedriver".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, which ends as a whole whatever becomes of the test.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{program} cannot be run ({error}): scripts/test brings it along, TEST_CHROMEDRIVER names another"
                )
            });
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("chromedriver says where it listens").unwrap();
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let mut browser = Self {
            driver,
            _folder: folder,
            client: Client::new(),
            session: format!("http://127.0.0.1:{port}/session"),
        };
        let mut chrome = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking",
            "--window-size=1300,900",
        ]});
        if let Some(program) = variable("TEST_CHROMIUM") {
            chrome["binary"] = json!(program);
        }
        let opened = browser
            .send(
                Method::POST,
                "",
                json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": chrome, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                "timeouts": {"script": 30_000, "implicit": 10_000}}}}),
            )
            .await;
        browser
            .session
            .push_str(&format!("/{}", opened["sessionId"].as_str().unwrap()));
        browser
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.session);
        let mut request = self.client.request(method.clone(), &url);
        if method == Method::POST {
            request = request.json(&body);
        }
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{method} {path}: {answer}");
        answer["value"].clone()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, body).await
    }

    /// Shows a page of this width in this colour scheme.
    async fn show(&self, url: &str, (width, scheme): (u32, &str)) {
        for (command, parameters) in [
            (
                "Emulation.setDeviceMetricsOverride",
                json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}),
            ),
            (
                "Emulation.setEmulatedMedia",
                json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
            ),
        ] {
            self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters}))
                .await;
        }
        // Another fragment alone would not load the page anew.
        self.post("/url", json!({"url": "about:blank"})).await;
        self.post("/url", json!({"url": url})).await;
    }

    /// Runs the body of an asynchronous function in the page and returns what it returns.
    async fn run(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(done, (error) => done('failed: ' + error))"
        );
        self.post("/execute/async", json!({"script": script, "args": []}))
            .await
    }

    /// Waits until an expression holds in the page.
    async fn wait_for(&self, expression: &str) {
        self.run(&format!(
            "while (!({expression})) await new Promise((tick) => requestAnimationFrame(tick))"
        ))
        .await;
    }

    async fn element(&self, xpath: &str) -> String {
        let found = self
            .post("/element", json!({"using": "xpath", "value": xpath}))
            .await;
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    async fn click(&self, xpath: &str) {
        let element = self.element(xpath).await;
        self.post(&format!("{element}/click"), json!({})).await;
    }

    async fn enter(&self, xpath: &str, text: &str) {
        let element = self.element(xpath).await;
        self.post(&format!("{element}/value"), json!({"text": text}))
            .await;
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.post("/se/log", json!({"type": kind})).await;
        log.as_array().unwrap().clone()
    }

    /// Returns the addresses that the pages asked for since the last time.
    async fn requests(&self) -> Vec<String> {
        self.log("performance")
            .await
            .iter()
            .map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|event| {
                event["message"]["params"]["request"]["url"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }

    /// Returns what keeps people out, one line for each kind; see the guidelines that the tags name.
    async fn barriers(&self) -> Value {
        let axe = String::from_utf8(vendored("tests/vendor/axe.min.js.br").plain).unwrap();
        self.post("/execute/sync", json!({"script": axe, "args": []}))
            .await;
        self.run(
            "const found = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}); \
             return found.violations.map((kind) => kind.id + ': ' + kind.nodes.map((node) => node.html).join(' '))",
        )
        .await
    }

    /// Fails unless all went to this site and nothing was complained about.
    async fn expect_quiet(&self, site: &Site) {
        let requests = self.requests().await;
        assert!(!requests.is_empty(), "the requests were not recorded");
        for url in requests {
            let is_ours = url.starts_with(&site.url("/"));
            assert!(
                is_ours
                    || ["data:", "blob:", "about:"]
                        .iter()
                        .any(|scheme| url.starts_with(scheme)),
                "a page asked for {url}"
            );
        }
        for entry in self.log("browser").await {
            assert!(
                !matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")),
                "{entry}"
            );
        }
    }

    async fn close(self) {
        self.send(Method::DELETE, "", Value::Null).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = format!("-{}", self.driver.id());
        // What has ended already cannot be ended, and a failed test must not fail twice.
        drop(Command::new("kill").args(["-KILL", "--", &group]).status());
        drop(self.driver.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_load_nothing_from_elsewhere_break_no_policy_and_keep_nobody_out() {
    let browser = Browser::open().await;
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        for (path, is_ready) in [
            ("/", "document.readyState === 'complete'"),
            (
                "/docs",
                "['Authentication', 'Client Libraries', '/api/v1/'].every((words) => document.body.innerText.includes(words))",
            ),
        ] {
            for view in VIEWS {
                browser.show(&site.url(path), view).await;
                browser.wait_for(is_ready).await;
                assert_eq!(browser.barriers().await, json!([]), "{path} {view:?}");
                let overflow = browser
                    .run("const page = document.documentElement; return page.scrollWidth - page.clientWidth")
                    .await;
                assert_eq!(overflow, 0, "{path} is wider than {view:?}");
                browser.expect_quiet(&site).await;
            }
        }
        site.close().await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_can_be_tried_from_the_reference() {
    let browser = Browser::open().await;
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        site.task("usr_ada", json!({"title": "Caulk the hull"})).await;
        let url = site.url("/docs#api/tag/tasks/GET/api/v1/tasks");
        browser.show(&url, VIEWS[0]).await;
        browser
            .enter("//input[@placeholder='Token']", &site.token("usr_ada"))
            .await;
        browser
            .click("//button[contains(., 'Test Request') and contains(., 'get /api/v1/tasks)')]")
            .await;
        browser.click("(//button[contains(., 'Send')])[last()]").await;
        browser
            .wait_for("document.body.innerText.includes('Caulk the hull')")
            .await;
        browser.expect_quiet(&site).await;
        site.close().await;
    }
    browser.close().await;
}

/// What somebody new tries in the reference, one thing after the other, as it stands there: what is made first is what the others
/// are about.
const TRIES: [&str; 44] = [
    "tasks POST /api/v1/tasks",
    "tags POST /api/v1/tags",
    "tags GET /api/v1/tags",
    "tags GET /api/v1/tags/{id}",
    "tags PATCH /api/v1/tags/{id}",
    "tags DELETE /api/v1/tags/{id}",
    "tasks GET /api/v1/tasks",
    "tasks GET /api/v1/tasks/summary",
    "tasks GET /api/v1/tasks/{id}",
    "tasks PUT /api/v1/tasks/{id}",
    "tasks PATCH /api/v1/tasks/{id}",
    "tasks PUT /api/v1/tasks/{id}/complete",
    "tasks DELETE /api/v1/tasks/{id}/complete",
    "tasks PATCH /api/v1/tasks/{id}/complete",
    "tags PUT /api/v1/tasks/{id}/tags/{name}",
    "tags DELETE /api/v1/tasks/{id}/tags/{name}",
    "tasks POST /api/v1/tasks/bulk",
    "tasks DELETE /api/v1/tasks/{id}",
    "tasks GET /api/v1/changes",
    "tasks GET /api/v1/events",
    "conversations POST /api/v1/conversations",
    "conversations GET /api/v1/conversations",
    "conversations GET /api/v1/conversations/{id}",
    "conversations PATCH /api/v1/conversations/{id}",
    "conversations POST /api/v1/conversations/{id}/messages",
    "conversations GET /api/v1/conversations/{id}/messages",
    "conversations GET /api/v1/conversations/{id}/messages/{message_id}",
    "conversations DELETE /api/v1/conversations/{id}/messages/{message_id}",
    "conversations DELETE /api/v1/conversations/{id}",
    "me GET /api/v1/me",
    "me PATCH /api/v1/me",
    "me GET /api/v1/me/sessions",
    "me POST /api/v1/me/tokens",
    "me GET /api/v1/me/tokens",
    "schema GET /api/v1/schema",
    "operations GET /errors",
    "operations GET /errors/{code}",
    "operations GET /health",
    "operations GET /livez",
    "operations GET /metrics",
    "operations GET /readyz",
    "operations GET /version",
    "auth POST /api/v1/auth/register",
    "auth POST /api/v1/auth/login",
];

/// What takes a session or a key that nobody can know beforehand, or the two documents, which are no requests to try.
const UNTRIED: [&str; 8] = [
    "auth POST /api/v1/auth/logout",
    "auth POST /api/v1/auth/refresh",
    "me DELETE /api/v1/me",
    "me POST /api/v1/me/password",
    "me DELETE /api/v1/me/sessions/{id}",
    "me DELETE /api/v1/me/tokens/{id}",
    "operations GET /openapi-compat.json",
    "operations GET /openapi.json",
];

/// Returns the operations of the document as the reference calls them.
async fn operations(site: &Site) -> BTreeSet<String> {
    let document: Value = site.get("usr_ada", "/openapi.json").await.json();
    let mut all = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            // A HEAD is its GET without a body.
            if let Some(tag) = operation["tags"][0].as_str().filter(|_| method != "head") {
                all.insert(format!("{tag} {} {path}", method.to_uppercase()));
            }
        }
    }
    all
}

impl Browser {
    /// Sends what the reference offers to try, and returns the status of the answer.
    async fn try_out(&self, method: &str, path: &str) -> u64 {
        let named = format!("{} {path})", method.to_lowercase());
        self.click(&format!(
            "//button[contains(., 'Test Request') and contains(., '{named}')]"
        ))
        .await;
        self.requests().await;
        // What is said of the answer before may lie over the button.
        self.run("document.querySelectorAll('[data-sonner-toast]').forEach((toast) => toast.remove())")
            .await;
        self.click("(//button[contains(., 'Send')])[last()]").await;
        for _ in 0..200 {
            for entry in self.log("performance").await {
                let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
                let (kind, answer) = (
                    &event["message"]["method"],
                    &event["message"]["params"]["response"],
                );
                if kind == "Network.responseReceived" && !answer["url"].as_str().unwrap().starts_with("data:")
                {
                    return answer["status"].as_u64().unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{method} {path} was not answered");
    }

    async fn press_escape(&self) {
        let keys = ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": "\u{e00c}"}));
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": keys}]});
        self.post("/actions", actions).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_can_try_what_the_reference_offers_as_it_stands() {
    let browser = Browser::open().await;
    let site = Site::open(databases().await.swap_remove(0), "head", &[]).await;
    let known = TRIES.into_iter().chain(UNTRIED).map(str::to_owned);
    assert_eq!(operations(&site).await, known.collect());
    let mut failed = Vec::new();
    for (index, operation) in TRIES.into_iter().enumerate() {
        let (tag, request) = operation.split_once(' ').unwrap();
        let (method, path) = request.split_once(' ').unwrap();
        let fragment = format!("#api/tag/{tag}/{method}{path}");
        match index {
            0 => {
                let url = site.url(&format!("/docs{fragment}"));
                browser.show(&url, VIEWS[0]).await;
                let token = site.token("usr_ada");
                browser.enter("//input[@placeholder='Token']", &token).await;
            }
            _ => drop(browser.run(&format!("window.location.hash = '{fragment}'")).await),
        }
        let status = browser.try_out(method, path).await;
        if !(200..300).contains(&status) {
            failed.push(format!("{request}: {status}"));
        }
        browser.press_escape().await;
    }
    assert_eq!(failed, [""; 0]);
    browser.close().await;
    site.close().await;
}
