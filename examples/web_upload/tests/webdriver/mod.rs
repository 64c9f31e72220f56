//! A Chromium without a window, driven by its own driver over the W3C's WebDriver protocol: HTTP and JSON.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// No event that must come takes longer, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// The key under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const SPACE: &str = " ";
pub const RIGHT: &str = "\u{e014}";

pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    session: String,
}

impl Browser {
    pub fn start() -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver can be started");
        let stdout = BufReader::new(driver.stdout.take().expect("it is a pipe"));
        let port = stdout
            .lines()
            .map(|line| line.expect("text"))
            .find_map(|line| Some(line.split_once("successfully on port ")?.1.to_owned()))
            .expect("chromedriver says where it listens");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE * 2))
            .build()
            .new_agent();
        let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        let mut browser = Browser {
            driver,
            agent,
            session: format!("{address}/session"),
        };
        let arguments = [
            "--headless=new",
            // It runs as root in a container, and sees nothing but our own page.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--lang=en-US",
        ];
        let options = json!({ "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options,
            "timeouts": { "script": PATIENCE.as_millis() as u64 },
        }}});
        let session = browser.post("", &wanted);
        let id = session["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{address}/session/{id}");
        browser.resize(1000, 760);
        browser.dark(false);
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let request = self.agent.post(&url).content_type("application/json");
        Self::value(path, request.send(body.to_string()))
    }

    fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.session);
        Self::value(path, self.agent.get(&url).call())
    }

    fn value(path: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
        let mut answer = answer.unwrap_or_else(|e| panic!("{path}: {e}"));
        // Pictures are longer than what is read by default.
        let text = answer
            .body_mut()
            .with_config()
            .limit(1 << 26)
            .read_to_string();
        let text = text.unwrap_or_else(|e| panic!("{path}: {e}"));
        assert!(answer.status().is_success(), "{path}: {text}");
        let mut json: Value = serde_json::from_str(&text).expect("JSON");
        json["value"].take()
    }

    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// The size of what is seen of the page.
    pub fn resize(&self, width: u32, height: u32) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    /// Light or dark, in either case without motion.
    pub fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
    }

    /// A command of Chromium's own protocol, which can do more.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body)
    }

    /// Runs the body of a function.
    pub fn run(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.post("/execute/sync", &body)
    }

    /// Returns as soon as a condition of the document holds.
    pub fn wait_until(&self, condition: &str) {
        let script = format!(
            "const done = arguments[0];
             const check = () => {{ if ({condition}) {{ observer.disconnect(); done(); }} }};
             const observer = new MutationObserver(check);
             const all = {{ subtree: true, childList: true, attributes: true, characterData: true }};
             observer.observe(document, all);
             check();"
        );
        self.post("/execute/async", &json!({ "script": script, "args": [] }));
    }

    fn element(&self, selector: &str) -> String {
        let body = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", &body);
        found[ELEMENT].as_str().expect(selector).to_owned()
    }

    pub fn click(&self, selector: &str) {
        let path = format!("/element/{}/click", self.element(selector));
        self.post(&path, &json!({}));
    }

    /// What a reader sees of it.
    pub fn text(&self, selector: &str) -> String {
        let path = format!("/element/{}/text", self.element(selector));
        self.get(&path).as_str().expect("text").to_owned()
    }

    /// What a screen reader says of each such element.
    pub fn labels(&self, selector: &str) -> Vec<String> {
        let body = json!({ "using": "css selector", "value": selector });
        let found = self.post("/elements", &body);
        let label = |element: &Value| {
            let id = element[ELEMENT].as_str().expect("an element");
            let label = self.get(&format!("/element/{id}/computedlabel"));
            label.as_str().expect("text").to_owned()
        };
        found
            .as_array()
            .expect("elements")
            .iter()
            .map(label)
            .collect()
    }

    /// Chooses a file, as the dialogue of the browser would.
    pub fn choose(&self, selector: &str, file: &Path) {
        let path = format!("/element/{}/value", self.element(selector));
        self.post(&path, &json!({ "text": file.to_str().expect("UTF-8") }));
    }

    /// Drags a file onto an element and lets it fall, as the desktop would.
    pub fn drop(&self, selector: &str, file: &Path) {
        let place = self.run(&format!(
            "const r = document.querySelector('{selector}').getBoundingClientRect();
             return {{ x: r.x + r.width / 2, y: r.y + r.height / 2 }};"
        ));
        let data = json!({ "items": [], "files": [file], "dragOperationsMask": 1 });
        for event in ["dragEnter", "dragOver", "drop"] {
            let parameters =
                json!({ "type": event, "x": place["x"], "y": place["y"], "data": data });
            self.devtools("Input.dispatchDragEvent", parameters);
        }
    }

    /// Presses a key where the keyboard is.
    pub fn press(&self, key: &str) {
        let press = |kind: &str| json!({ "type": kind, "value": key });
        let keys = [press("keyDown"), press("keyUp")];
        let source = json!({ "type": "key", "id": "keyboard", "actions": keys });
        self.post("/actions", &json!({ "actions": [source] }));
    }

    /// A picture of the page, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.get("/screenshot");
        STANDARD
            .decode(picture.as_str().expect("text"))
            .expect("Base64")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; the driver then has no children left.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
