//! Memory does not grow with the object. Alone in its file, so that no other test adds to the process.
#![cfg(target_os = "linux")]

use oss_callback::PostForm;
use support::{BUCKET, RawServer, TemporaryFile, client};

/// The largest amount of memory this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[test]
fn an_object_of_a_gibibyte_costs_no_more_memory_than_a_small_one() {
    let raw = RawServer::answering(
        "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let client = client(&raw.endpoint());
    client
        .put_object(BUCKET, "small")
        .send_bytes(vec![0; 1 << 20])
        .unwrap();
    let before = peak();
    let file = TemporaryFile::sparse("gibibyte.bin", 1 << 30);
    client
        .put_object(BUCKET, "large")
        .send_file(file.path())
        .unwrap();
    // The same in a form.
    let fields = [("key", "large"), ("success_action_status", "200")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = PostForm::new(raw.endpoint(), fields);
    file.set_len(1 << 28);
    client.post_object(&form).send_file(file.path()).unwrap();
    let reader = std::io::Read::take(std::io::repeat(7), 1 << 28);
    client
        .post_object(&form)
        .send_reader(reader, 1 << 28)
        .unwrap();
    // The kernel counts by processor, and roughly: the peak may even fall a little.
    let growth = peak().saturating_sub(before);
    assert!(growth < 4 << 20, "{growth} bytes more");
}
