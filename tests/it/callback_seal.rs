//! What OSS's signature does not prove and a seal does: that we permitted the upload. And what neither does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_oss::{Answer, CallbackKey, ReceivedRequest, Receiver, Server};
use oss_callback::callback::{
    CallbackRequest, NonceStore, Permission, ReplayGuard, SealedCallback, Sealer, Seen,
    VerifiedCallback, Verifier, replay_unknown, reply_refused,
};
use oss_callback::{
    BodyType, CallbackSpec, CallbackSpecBuilder, Credentials, Error, ErrorKind, PresignOptions,
};
use support::{BUCKET, agreeing_receiver, client, client_builder, request_of, server};

const SECRET: &[u8] = b"a secret of thirty-two bytes ...";
const FORM: &str = "bucket=${bucket}&object=${object}&size=${size}&user=${x:user}&seal=${x:seal}";

fn sealer() -> Sealer {
    Sealer::new("2026-01", SECRET).unwrap()
}

fn permission() -> Permission {
    Permission::object(BUCKET, "photos/1.jpg")
        .max_size(10)
        .valid_for(Duration::from_secs(600))
}

fn builder(url: &str) -> CallbackSpecBuilder {
    CallbackSpec::builder()
        .url(url)
        .body(FORM)
        .variable("user", "4711")
}

/// OSS, an application server, and its verifier.
struct Scene {
    server: Server,
    receiver: Receiver,
    verifier: Verifier,
}

impl Scene {
    fn new() -> Scene {
        let server = server().start().unwrap();
        let (url, pem) = (server.public_key_url(), server.public_key_pem());
        Scene {
            verifier: Verifier::new().trust_key_url_for_tests(url, pem).unwrap(),
            server,
            receiver: agreeing_receiver(),
        }
    }

    fn seal(&self) -> CallbackSpec {
        let url = self.receiver.url("/callback");
        sealer().seal(builder(&url), &permission()).unwrap()
    }

    /// Uploads, and gives back the verified callback that came of it.
    fn upload(&self, object: &str, contents: &[u8], spec: &CallbackSpec) -> VerifiedCallback {
        let put = client(self.server.endpoint()).put_object(BUCKET, object);
        put.callback(spec).send_bytes(contents).unwrap();
        let requests = self.receiver.requests();
        verify(&self.verifier, requests.last().unwrap()).unwrap()
    }
}

fn verify(verifier: &Verifier, received: &ReceivedRequest) -> Result<VerifiedCallback, Error> {
    verifier.verify(&request_of(received))
}

fn kind(result: Result<SealedCallback, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn a_permitted_upload_is_recognised() {
    let scene = Scene::new();
    for (body_type, body) in [
        (BodyType::Form, FORM.to_owned()),
        (
            BodyType::Json,
            r#"{"bucket":${bucket},"object":${object},"size":${size},"user":${x:user},"seal":${x:seal}}"#
                .to_owned(),
        ),
    ] {
        let builder = builder(&scene.receiver.url("/")).body(body).body_type(body_type);
        let spec = sealer().seal(builder, &permission()).unwrap();
        let sealed = sealer().check(&scene.upload("photos/1.jpg", b"hello", &spec)).unwrap();
        assert_eq!((sealed.bucket(), sealed.object(), sealed.size()), (BUCKET, "photos/1.jpg", 5));
        assert_eq!(sealed.variable("user"), Some("4711"));
        assert_eq!(sealed.variable("x:user"), Some("4711"));
        assert_eq!(sealed.variable("seal"), None);
        assert_eq!(sealed.key_id(), "2026-01");
    }
    let below = Permission::prefix(BUCKET, "photos/目/")
        .exact_size(5)
        .valid_for(Duration::from_secs(600));
    let spec = sealer()
        .seal(builder(&scene.receiver.url("/")), &below)
        .unwrap();
    let sealed = sealer()
        .check(&scene.upload("photos/目/a&b.jpg", b"hello", &spec))
        .unwrap();
    assert_eq!(sealed.object(), "photos/目/a&b.jpg");
}

/// The uploader needs neither the secret nor a key of his own.
#[test]
fn a_sealed_spec_goes_with_every_kind_of_upload() {
    let scene = Scene::new();
    let client = client(scene.server.endpoint());
    let uploader = client_builder(scene.server.endpoint())
        .credentials(Credentials::anonymous())
        .build()
        .unwrap();
    // As much as a caller is likely to say.
    let note = "目&\" ".repeat(200);
    let seal = || {
        let builder = builder(&scene.receiver.url("/callback?id=1"))
            .body(format!("{FORM}&note=${{x:note}}"))
            .variable("note", note.as_str());
        sealer().seal(builder, &permission()).unwrap()
    };
    let minutes = Duration::from_secs(600);
    for kind in ["put", "multipart", "presigned", "form"] {
        let spec = seal();
        let longest = spec
            .callback()
            .len()
            .max(spec.callback_var().unwrap().len());
        assert!(longest <= 5120, "{longest}");
        let put = || client.put_object(BUCKET, "photos/1.jpg").callback(&spec);
        let sent = match kind {
            "put" => put().send_bytes(b"hello"),
            "multipart" => {
                let upload = client
                    .initiate_multipart_upload(BUCKET, "photos/1.jpg")
                    .send()
                    .unwrap();
                let part = upload.upload_part(1).send_bytes(b"hello").unwrap();
                upload.complete().callback(&spec).send(&[part])
            }
            "presigned" => {
                let url = put().presign(&PresignOptions::expires_in(minutes)).unwrap();
                uploader.put_object_with_url(&url).send_bytes(b"hello")
            }
            _ => {
                let policy = client.post_policy(BUCKET).key("photos/1.jpg");
                let form = policy.expires_in(minutes).callback(&spec).sign().unwrap();
                uploader.post_object(&form).send_bytes(b"hello")
            }
        };
        sent.unwrap_or_else(|error| panic!("{kind}: {error}"));
        let verified = verify(&scene.verifier, scene.receiver.requests().last().unwrap()).unwrap();
        let sealed = sealer().check(&verified).unwrap();
        assert_eq!(
            (sealed.object(), sealed.size()),
            ("photos/1.jpg", 5),
            "{kind}"
        );
        assert_eq!(sealed.variable("note"), Some(note.as_str()));
        verified.confirm(&client).unwrap();
    }
    assert_eq!(scene.receiver.requests().len(), 4);

    // What would not fit is refused before anybody gets it.
    let builder = builder("http://app.example.com/")
        .body(format!("{FORM}&note=${{x:note}}"))
        .variable("note", "a".repeat(3800));
    let error = sealer().seal(builder, &permission()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidCallback);
    assert!(error.to_string().contains("at most 5120"), "{error}");
}

#[test]
fn a_permission_that_is_over_is_not_sealed() {
    let over = [
        permission().expires_at(SystemTime::now()),
        permission().expires_at(SystemTime::UNIX_EPOCH),
        permission().valid_for(Duration::ZERO),
        // No clock reaches so far.
        permission().valid_for(Duration::MAX),
    ];
    for permission in over {
        let sealed = sealer().seal(builder("http://app.example.com/"), &permission);
        let error = sealed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(error.to_string(), "`permission` has ended already");
    }
}

#[test]
fn what_was_not_permitted_is_refused_though_oss_has_signed_it() {
    let scene = Scene::new();
    let spec = scene.seal();
    for (object, contents, expected) in [
        ("photos/2.jpg", &b"hello"[..], ErrorKind::BadSeal),
        ("photos/1.jpg", b"hello hello", ErrorKind::SealViolated),
    ] {
        let verified = scene.upload(object, contents, &spec);
        assert_eq!(kind(sealer().check(&verified)), expected, "{object}");
    }

    // The uploader changes a variable; the seal is not his to change.
    let variables = STANDARD.decode(spec.callback_var().unwrap()).unwrap();
    let variables = String::from_utf8(variables).unwrap();
    let changed = variables.replace("4711", "4712");
    let callback = STANDARD.decode(spec.callback()).unwrap();
    let callback = String::from_utf8(callback).unwrap();
    let other = CallbackSpec::from_json(&callback, Some(&changed)).unwrap();
    let verified = scene.upload("photos/1.jpg", b"hello", &other);
    assert_eq!(kind(sealer().check(&verified)), ErrorKind::BadSeal);

    // He leaves it out.
    let plain = builder(&scene.receiver.url("/")).build().unwrap();
    let verified = scene.upload("photos/1.jpg", b"hello", &plain);
    assert_eq!(kind(sealer().check(&verified)), ErrorKind::SealMissing);

    // He waits too long.
    let verified = scene.upload("photos/1.jpg", b"hello", &spec);
    let late = SystemTime::now() + Duration::from_secs(601);
    assert_eq!(
        kind(sealer().check_at(&verified, late)),
        ErrorKind::SealExpired
    );
    assert!(sealer().check(&verified).is_ok());
}

/// 512 bits can be factored, so somebody may sign whatever he likes.
#[test]
fn whoever_has_the_private_key_passes_verification_but_not_the_seal() {
    let scene = Scene::new();
    let attacker = CallbackKey::generate(512, "http://keys.example.com").unwrap();
    let verifier = Verifier::new()
        .trust_key_url_for_tests(attacker.public_url(), attacker.public_pem())
        .unwrap();
    let forge = |body: &str| {
        let key_url = STANDARD.encode(attacker.public_url());
        let authorization = attacker.sign("/callback", body.as_bytes());
        let request = CallbackRequest::new("POST", "/callback", body)
            .header("Authorization", &authorization)
            .header("x-oss-pub-key-url", &key_url);
        verifier.verify(&request).unwrap()
    };
    let facts = format!("bucket={BUCKET}&object=photos%2F1.jpg&size=5&user=4711");
    assert_eq!(kind(sealer().check(&forge(&facts))), ErrorKind::SealMissing);

    // With a seal of his own making, and with one of ours for another upload.
    let own = Sealer::new("2026-01", b"the attacker's own thirty-two bytes").unwrap();
    let other = Permission::object(BUCKET, "photos/2.jpg")
        .max_size(10)
        .valid_for(Duration::from_secs(60));
    for (sealer_used, permission) in [(own, permission()), (sealer(), other)] {
        let spec = sealer_used
            .seal(builder("http://a.example.com/"), &permission)
            .unwrap();
        let forged = forge(&format!("{facts}&seal={}", seal_of(&spec)));
        assert_eq!(kind(sealer().check(&forged)), ErrorKind::BadSeal);
    }

    // What a seal does not say: that the upload took place. He has a permission and uploads nothing.
    let forged = forge(&format!("{facts}&seal={}", seal_of(&scene.seal())));
    sealer().check(&forged).unwrap();
    let error = forged
        .confirm(&client(scene.server.endpoint()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConfirmed, "{error}");
}

fn seal_of(spec: &CallbackSpec) -> String {
    let variables = STANDARD.decode(spec.callback_var().unwrap()).unwrap();
    let variables: serde_json::Value = serde_json::from_slice(&variables).unwrap();
    variables["x:seal"].as_str().unwrap().to_owned()
}

/// Another customer of OSS copies the seal into a callback of his own, whose body is fixed text. OSS signs it.
#[test]
fn a_seal_in_another_customers_callback_is_caught_by_confirm_only() {
    let scene = Scene::new();
    let seal = seal_of(&scene.seal());
    let copied = CallbackSpec::builder()
        .url(scene.receiver.url("/callback"))
        .body(format!(
            "bucket={BUCKET}&object=photos%2F1.jpg&size=5&user=4711&seal={seal}"
        ))
        .build()
        .unwrap();
    let verified = scene.upload("whatever", b"x", &copied);
    sealer().check(&verified).unwrap();
    let error = verified
        .confirm(&client(scene.server.endpoint()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConfirmed);
    assert!(error.to_string().contains("no such object"), "{error}");
}

/// Nor does a seal say where the callback goes, or `confirm` that this upload has put the object there: both are said
/// in `docs/TRUSTING_A_CALLBACK.md`.
#[test]
fn neither_the_url_is_sealed_nor_is_an_older_object_told_from_a_new_one() {
    let scene = Scene::new();
    let client = client(scene.server.endpoint());
    let older = client.put_object(BUCKET, "photos/1.jpg");
    older.send_bytes(b"older").unwrap();
    let copied = CallbackSpec::builder()
        .url(scene.receiver.url("/another/endpoint?user=4712"))
        .body(format!(
            "bucket={BUCKET}&object=photos%2F1.jpg&size=5&user=4711&seal={}",
            seal_of(&scene.seal())
        ))
        .build()
        .unwrap();
    let verified = scene.upload("whatever", b"x", &copied);
    let sealed = sealer().check(&verified).unwrap();
    assert_eq!(verified.signed_target(), "/another/endpoint?user=4712");
    assert_eq!(sealed.variable("user"), Some("4711"));
    verified.confirm(&client).unwrap();
}

/// What reads the body otherwise finds no other facts in it: Content-Type is not signed.
#[test]
fn another_content_type_finds_no_other_facts() {
    let scene = Scene::new();
    let json = r#"{"bucket":${bucket},"object":${object},"size":${size},"user":${x:user},"trap":${x:trap},"seal":${x:seal}}"#;
    // Whoever reads the JSON as a form finds members in this variable.
    let trap = "&bucket=other&object=other&size=1&";
    let url = scene.receiver.url("/");
    let as_json = builder(&url)
        .body(json)
        .body_type(BodyType::Json)
        .variable("trap", trap);
    for (builder, other, refused) in [
        (builder(&url), "application/json", ErrorKind::BadBody),
        (
            as_json,
            "application/x-www-form-urlencoded",
            ErrorKind::SealMissing,
        ),
    ] {
        let spec = sealer().seal(builder, &permission()).unwrap();
        sealer()
            .check(&scene.upload("photos/1.jpg", b"hello", &spec))
            .unwrap();
        let mut received = scene.receiver.requests().pop().unwrap();
        for (name, value) in &mut received.headers {
            if name.eq_ignore_ascii_case("content-type") {
                *value = other.to_owned();
            }
        }
        let verified = verify(&scene.verifier, &received).unwrap();
        assert_eq!(kind(sealer().check(&verified)), refused);
    }
}

#[test]
fn confirm_compares_what_the_body_says_with_what_is_stored() {
    let scene = Scene::new();
    let client = client(scene.server.endpoint());
    let body = "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&crc64=${crc64}";
    let spec = CallbackSpec::builder()
        .url(scene.receiver.url("/"))
        .body(body)
        .build()
        .unwrap();
    let verified = scene.upload("a b", b"hello", &spec);
    let metadata = verified.confirm(&client).unwrap();
    assert_eq!(metadata.content_length(), Some(5));

    for (body, named) in [
        ("bucket=${bucket}&object=${object}&etag=F${etag}", "ETag"),
        ("bucket=${bucket}&object=${object}&size=${size}0", "size"),
        ("bucket=${bucket}&object=${object}&crc64=1", "CRC-64"),
        ("bucket=${bucket}&object=${object}1", "no such object"),
        ("bucket=No/Bucket&object=${object}", "no such object"),
        ("bucket=${bucket}", "no `bucket` or no `object`"),
    ] {
        let spec = CallbackSpec::builder()
            .url(scene.receiver.url("/"))
            .body(body)
            .build()
            .unwrap();
        let error = scene
            .upload("a b", b"hello", &spec)
            .confirm(&client)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConfirmed, "{body}: {error}");
        assert!(error.to_string().contains(named), "{body}: {error}");
    }

    // A network that fails says nothing of the object.
    let refused = local_oss::RefusedAddress::new().unwrap();
    let gone = support::client_builder(&refused.url("")).build().unwrap();
    assert_eq!(
        verified.confirm(&gone).unwrap_err().kind(),
        ErrorKind::Connect
    );
}

#[test]
fn keys_are_rotated_without_a_gap() {
    let scene = Scene::new();
    let (old, new) = (
        b"the old secret of thirty-two byte",
        b"the new secret of thirty-two byte",
    );
    let url = scene.receiver.url("/callback");
    let first = Sealer::new("2025", old).unwrap();
    let before = first.clone().accept("2026", new).unwrap();
    let after = Sealer::new("2026", new)
        .unwrap()
        .accept("2025", old)
        .unwrap();
    for (sealing, id) in [(&first, "2025"), (&before, "2025"), (&after, "2026")] {
        let spec = sealing.seal(builder(&url), &permission()).unwrap();
        let verified = scene.upload("photos/1.jpg", b"hello", &spec);
        assert_eq!(before.check(&verified).unwrap().key_id(), id);
        assert_eq!(after.check(&verified).unwrap().key_id(), id);
    }
    let spec = first.seal(builder(&url), &permission()).unwrap();
    let verified = scene.upload("photos/1.jpg", b"hello", &spec);
    let done = Sealer::new("2026", new).unwrap();
    assert_eq!(kind(done.check(&verified)), ErrorKind::UnknownSealKey);
}

#[test]
fn a_replay_is_told_from_a_repetition() {
    let scene = Scene::new();
    let guard = ReplayGuard::in_memory(10);
    let (spec, other) = (scene.seal(), scene.seal());
    let check =
        |verified: &VerifiedCallback| guard.check(&sealer().check(verified).unwrap()).unwrap();
    let verified = scene.upload("photos/1.jpg", b"hello", &spec);
    assert_eq!(check(&verified), Seen::First);
    assert_eq!(check(&verified), Seen::Repeated);
    // The same permission for other contents.
    let again = scene.upload("photos/1.jpg", b"other!", &spec);
    assert_eq!(check(&again), Seen::Replayed);
    assert_eq!(check(&verified), Seen::Repeated);
    assert_eq!(
        check(&scene.upload("photos/1.jpg", b"hello", &other)),
        Seen::First
    );
    // What failed after all may come again.
    guard.forget(&sealer().check(&verified).unwrap()).unwrap();
    assert_eq!(check(&verified), Seen::First);
}

/// OSS goes on to the next URL after a failure, with the same body.
#[test]
fn oss_itself_delivers_twice_and_that_is_a_repetition() {
    let scene = Scene::new();
    let failing = Receiver::start(|_| Answer::status(500)).unwrap();
    let builder = builder(&failing.url("/a")).url(scene.receiver.url("/b"));
    let spec = sealer().seal(builder, &permission()).unwrap();
    let second = scene.upload("photos/1.jpg", b"hello", &spec);
    let first = verify(&scene.verifier, &failing.requests()[0]).unwrap();
    let guard = ReplayGuard::in_memory(10);
    let seen = [&first, &second].map(|v| guard.check(&sealer().check(v).unwrap()).unwrap());
    assert_eq!(seen, [Seen::First, Seen::Repeated]);
}

#[test]
fn a_full_guard_says_so_and_takes_no_replay_for_a_first_time() {
    let scene = Scene::new();
    let guard = ReplayGuard::in_memory(1);
    let check = |spec: &CallbackSpec| {
        let verified = scene.upload("photos/1.jpg", b"hello", spec);
        guard.check(&sealer().check(&verified).unwrap())
    };
    let (first, second) = (scene.seal(), scene.seal());
    assert_eq!(check(&first).unwrap(), Seen::First);
    assert_eq!(check(&second).unwrap_err().kind(), ErrorKind::ReplayUnknown);
    assert_eq!(check(&first).unwrap(), Seen::Repeated);
}

/// Digest and end, by nonce.
type Kept = HashMap<[u8; 16], ([u8; 32], SystemTime)>;

/// A database that servers share, and that can be out of reach.
#[derive(Clone, Default)]
struct Database {
    kept: Arc<Mutex<Kept>>,
    gone: Arc<AtomicBool>,
}

impl NonceStore for Database {
    fn keep(
        &self,
        nonce: &[u8; 16],
        body_digest: &[u8; 32],
        keep_until: SystemTime,
    ) -> Result<Option<[u8; 32]>, Error> {
        if self.gone.load(Ordering::SeqCst) {
            // Its own error, or one of a part of the library that it uses.
            return Err(Sealer::new("", b"").unwrap_err());
        }
        let mut kept = self.kept.lock().unwrap();
        let known = kept.get(nonce).map(|(digest, _)| *digest);
        if known.is_none() {
            kept.insert(*nonce, (*body_digest, keep_until));
        }
        Ok(known)
    }

    fn forget(&self, nonce: &[u8; 16]) -> Result<(), Error> {
        if self.gone.load(Ordering::SeqCst) {
            return Err(replay_unknown("the database is gone"));
        }
        self.kept.lock().unwrap().remove(nonce);
        Ok(())
    }
}

#[test]
fn servers_share_a_store_and_one_that_fails_lets_nothing_through() {
    let scene = Scene::new();
    let database = Database::default();
    let (one, other) = (
        ReplayGuard::with_store(database.clone()),
        ReplayGuard::with_store(database.clone()),
    );
    let spec = scene.seal();
    let sealed = |contents| {
        let verified = scene.upload("photos/1.jpg", contents, &spec);
        sealer().check(&verified).unwrap()
    };
    let (first, second) = (sealed(b"hello"), sealed(b"other!"));
    assert_eq!(one.check(&first).unwrap(), Seen::First);
    assert_eq!(other.check(&first).unwrap(), Seen::Repeated);
    assert_eq!(other.check(&second).unwrap(), Seen::Replayed);
    let (digest, keep_until) = database.kept.lock().unwrap()[first.nonce()];
    assert_eq!(&digest, first.body_digest());
    assert!(keep_until > first.expires());

    database.gone.store(true, Ordering::SeqCst);
    for error in [
        one.check(&first).unwrap_err(),
        one.forget(&first).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::ReplayUnknown, "{error}");
        assert_eq!(reply_refused(&error).status(), 503);
    }
    database.gone.store(false, Ordering::SeqCst);
    other.forget(&first).unwrap();
    assert_eq!(one.check(&second).unwrap(), Seen::First);
}

#[test]
fn of_many_threads_one_is_first() {
    let scene = Scene::new();
    let guard = Arc::new(ReplayGuard::in_memory(10));
    let sealed = sealer()
        .check(&scene.upload("photos/1.jpg", b"hello", &scene.seal()))
        .unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (guard, sealed) = (guard.clone(), sealed.clone());
            thread::spawn(move || guard.check(&sealed).unwrap())
        })
        .collect();
    let seen: Vec<Seen> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert_eq!(seen.iter().filter(|seen| **seen == Seen::First).count(), 1);
    assert_eq!(
        seen.iter().filter(|seen| **seen == Seen::Repeated).count(),
        7
    );
}
