//! The pages in a real browser: Chromium, driven over its web driver, with axe looking for what keeps people out.
//!
//! The protocol is JSON over HTTP; the seven commands that are needed here are no reason for a client library.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

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
