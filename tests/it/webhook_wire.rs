//! What goes over the wire besides ordinary bookings: limits, hostile bodies, pages, tokens.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bookwarden::cubu::signature::sign;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::support::{Answered, HANGS, SECRET, Server, TestApp, booking, bookwarden_prints};

const ROUTE: &str = "/service/actions/beforeBookAppointment";
const EMAIL: &str = "cd439a62-c78a-413f-bb42-cc4dd720375c";

async fn post(app: &TestApp, body: String) -> Answered {
    let authorization = sign(SECRET, body.as_bytes());
    app.post(&app.server, ROUTE, body, Some(authorization))
        .await
        .expect("an answer")
}

async fn rejected(app: &TestApp) -> i64 {
    app.number("select count(*) from ledger.events where type = 'request.rejected'")
        .await
}

/// The sample with a text in it replaced.
fn with(from: &str, to: &str) -> String {
    let body = booking().to_string();
    assert!(body.contains(from), "{from} is in the sample");
    body.replacen(from, to, 1)
}

#[tokio::test]
async fn what_is_too_large_is_recorded_before_it_is_answered() {
    let app = TestApp::start().await;
    let large = post(&app, "x".repeat(300_000)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(large.json["type"], "/problems/body-too-large");
    assert_eq!(rejected(&app).await, 1);

    let heads = Client::new()
        .post(format!("{}{ROUTE}", app.server.url))
        .header("x-much", "m".repeat(20_000))
        .body("{}")
        .send()
        .await
        .expect("an answer");
    assert_eq!(heads.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(rejected(&app).await, 2);
    let reasons = app
        .text("select string_agg(payload::json ->> 'reason', ' ' order by seq) from ledger.events where type = 'request.rejected'")
        .await;
    assert_eq!(reasons, "body-too-large headers-too-large");
    app.check().await;
}

/// What is not text is not JSON either: where it stops being text is said, and what came is kept.
#[tokio::test]
async fn bytes_that_are_not_text_are_refused_and_recorded() {
    let app = TestApp::start().await;
    let body: &[u8] = b"{\"caseId\": \"\xff\"}";
    let authorization = Some(sign(SECRET, body));
    let answer = app.post(&app.server, ROUTE, body, authorization).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json["type"], "/problems/not-utf8");
    let detail = answer.json["detail"].as_str().expect("a detail");
    assert!(detail.contains("offset 12"), "{detail}");
    let kept = app
        .text("select payload from ledger.events where type = 'request.rejected'")
        .await;
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert_eq!(
        (&kept["reason"], &kept["size"]),
        (&"not-utf8".into(), &body.len().into())
    );
    app.check().await;
}

#[tokio::test]
async fn nothing_is_kept_for_an_organization_that_does_not_exist() {
    let app = TestApp::start().await;
    let path = format!("/nobody{ROUTE}");
    let large = app.post(&app.server, &path, "x".repeat(300_000), None);
    let large = large.await.expect("an answer");
    assert_eq!(large.json["type"], "/problems/unknown-organization");
    let metrics = reqwest::get(format!("{}/metrics", app.server.url)).await;
    let metrics = metrics.expect("an answer").text().await.expect("a body");
    assert!(!metrics.contains("nobody"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_slowly_is_recorded_before_it_is_answered() {
    let app = TestApp::start().await;
    let hasty = [("BOOKWARDEN_REQUEST_TIMEOUT_MS", "500")];
    let server = Server::start_with(&app.database_url, &hasty);
    let answer = tokio::task::block_in_place(|| {
        let address = server.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let head = format!("POST {ROUTE} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{");
        stream.write_all(head.as_bytes()).expect("sent");
        let patience = Some(Duration::from_secs(5));
        stream.set_read_timeout(patience).expect("a timeout");
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    });
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(rejected(&app).await, 1);
    app.check().await;
}

#[tokio::test]
async fn strange_bodies_are_decided_and_kept_byte_for_byte() {
    let app = TestApp::start().await;
    app.sql(&format!(
        "insert into policy.customer_blocklist (field_type_id, field_value) values ('{EMAIL}', 'x')"
    ))
    .await;
    let quoted = "\"dana@example.com\"";
    let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
    let many = (0..5_000)
        .map(|key| format!("\"key {key}\":{key},"))
        .collect::<String>();
    let bodies = [
        with(quoted, r#""\u0000""#),
        with(quoted, r#"["a\u0000b", "\ud800"]"#),
        with(quoted, r#""\ud800""#),
        with(quoted, "\"\u{fffe}\u{10ffff}\""),
        with(quoted, "1e999999"),
        with(quoted, &deep),
        with(quoted, &format!("\"{}\"", "x".repeat(250_000))),
        with("\"FaceToFace\"", &format!("\"{}\"", "x".repeat(1_000))),
        with("\"fields\":{", &format!("\"fields\":{{{many}")),
        with("{", &format!("{{\"unknown\":{deep},")),
        with("{", " \r\n\t{"),
    ];
    for body in bodies {
        let answered = post(&app, body.clone()).await;
        let start: String = body.chars().take(300).collect();
        assert_eq!(
            answered.status,
            StatusCode::OK,
            "{start} … {}",
            answered.text
        );
        assert!(!answered.cancelled(), "{start}");
        let id = answered.decision_id.expect("an id");
        let kept = app
            .text(&format!(
                "select r.body from ledger.events d join ledger.events r on r.org = d.org and r.seq = d.caused_by where d.seq = {id}"
            ))
            .await;
        assert!(kept == body, "kept as it came: {start}");
        let (status, _) = app
            .get(&format!("/v1/decisions?limit=1&caseId={}", case(&body)))
            .await;
        assert_eq!(status, StatusCode::OK);
        let response = Client::new()
            .get(format!("{}/v1/decisions/{id}", app.server.url))
            .bearer_auth("test-token")
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{start}");
        let text = response.text().await.expect("a body");
        assert!(text.contains(body.trim()), "shown as it came: {start}");
    }
    app.check().await;
}

fn case(body: &str) -> &str {
    let (_, rest) = body.split_once("\"caseId\":\"").expect("a case");
    &rest[..36]
}

#[tokio::test]
async fn strange_bodies_that_cannot_be_understood_are_recorded() {
    let app = TestApp::start().await;
    let bodies = [
        with("\"FaceToFace\"", r#""a\u0000b""#),
        with("\"FaceToFace\"", &format!("\"{}\"", "x".repeat(1_001))),
        with("\"FaceToFace\"", r#""\ud800""#),
        with("\"en\"", "\"\0\""),
        with("\"en\"", "\"a\u{1}b\""),
        with("{", "{\"caseId\":\"4e510ed0-ef6f-4441-a1d3-c29d2f752e57\","),
        with("15,", "15.0,"),
        with("650,", "1e3,"),
        "[".repeat(200_000),
        String::new(),
        "null".to_owned(),
        "\0".to_owned(),
        "\u{feff}{}".to_owned(),
    ];
    for (recorded, body) in (1..).zip(bodies) {
        let answered = post(&app, body.clone()).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{body:.300}");
        assert_eq!(rejected(&app).await, recorded, "{body:.300}");
    }
    let kept = app
        .number("select count(*) from ledger.events where type = 'request.rejected' and json_typeof(payload::json) = 'object'")
        .await;
    assert_eq!(kept, rejected(&app).await);
    app.check().await;
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_bookings_pour_in() {
    let app = TestApp::start().await;
    for _ in 0..7 {
        app.book(&booking()).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = app.get(&format!("/v1/decisions?limit=2{cursor}")).await;
        let items = page["items"].as_array().expect("items");
        seen.extend(items.iter().map(|item| item["decisionId"].as_i64()));
        app.book(&booking()).await;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by(|newer, older| newer > older));
    let (status, _) = app
        .get(&format!("/v1/decisions?outcome=approved{cursor}"))
        .await;
    assert_eq!(
        status,
        StatusCode::BAD_REQUEST,
        "a cursor of another search"
    );
}

#[tokio::test]
async fn one_decision_for_its_own_organization_only() {
    let app = TestApp::start().await;
    let id = app.book(&booking()).await.decision_id.expect("an id");
    app.sql("insert into policy.organizations (org) values ('other')")
        .await;
    let arguments = ["token", "create", "--name", "stranger", "--org", "other"];
    let stranger = bookwarden_prints(&app.database_url, &arguments, "");
    let status = async |token: Option<&str>| {
        let mut request = Client::new().get(format!("{}/v1/decisions/{id}", app.server.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.expect("an answer").status()
    };
    assert_eq!(status(Some("test-token")).await, StatusCode::OK);
    assert_eq!(status(Some(&stranger)).await, StatusCode::NOT_FOUND);
    assert_eq!(status(None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(Some("")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_vectors_of_other_languages_are_accepted() {
    let app = TestApp::start().await;
    let vectors = include_str!("../samples/hmac-vectors-of-other-languages.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).expect("JSON");
    assert_eq!(vectors.len(), 8);
    for vector in &vectors {
        let text = |key: &str| vector[key].as_str().expect("a text").to_owned();
        let add = ["secret", "add", "--stdin"];
        bookwarden_prints(&app.database_url, &add, &text("secret"));
        for (body, status) in [
            (text("body"), StatusCode::OK),
            (
                text("body").replacen("650", "651", 1),
                StatusCode::UNAUTHORIZED,
            ),
        ] {
            let authorization = Some(text("authorization"));
            let answered = app.post(&app.server, ROUTE, body, authorization).await;
            let answered = answered.expect("an answer");
            assert_eq!(answered.status, status, "{}", text("made_by"));
        }
    }
    app.check().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_header_is_said() {
    let app = TestApp::start().await;
    let body = booking().to_string();
    let right = sign(SECRET, body.as_bytes());
    let latin = HeaderValue::from_bytes(b"HMAC \xe9").expect("a header's value");
    let hexadecimal = format!("HMAC {}", "0a".repeat(32));
    let malformed = "/problems/malformed-signature";
    for (values, kind, words) in [
        (vec![&*right, &*right], malformed, "is given more than once"),
        (
            vec![&*hexadecimal],
            "/problems/invalid-signature",
            "48 bytes, not 32: is it hexadecimal?",
        ),
        (vec!["HMAC ?"], malformed, "is not base64"),
        (vec![], malformed, "not plain ASCII"),
    ] {
        let mut headers = HeaderMap::new();
        for value in &values {
            headers.append(AUTHORIZATION, value.parse().expect("a header's value"));
        }
        if values.is_empty() {
            headers.append(AUTHORIZATION, latin.clone());
        }
        let request = Client::new().post(format!("{}{ROUTE}", app.server.url));
        let answer = request.headers(headers).body(body.clone()).send().await;
        let problem: Value = answer.expect("an answer").json().await.expect("a problem");
        assert_eq!(problem["type"], kind, "{words}");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(words), "{detail}");
    }
    app.check().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_body_as_a_whole_is_said() {
    let app = TestApp::start().await;
    let whole = booking().to_string();
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";
    let marked = [b"\xef\xbb\xbf", whole.as_bytes()].concat();
    let longer = [whole.as_bytes(), b" dana"].concat();
    let twice = with("\"fields\":{", "\"fields\":{\"dana\":1,\"dana\":2,");
    let bodies: [(&[u8], Option<&str>, &str); 8] = [
        (b"", None, "is empty"),
        (gzip, Some("gzip"), "is compressed"),
        (b"x", Some("br"), "is compressed"),
        (b"x", Some("identity"), "line 1, column 1"),
        (&marked, None, "byte order mark"),
        (&whole.as_bytes()[..100], None, "ends too early"),
        (&longer, None, "text after its end"),
        (twice.as_bytes(), None, "fields has a key twice"),
    ];
    for (body, coding, words) in bodies {
        let request = Client::new()
            .post(format!("{}{ROUTE}", app.server.url))
            .header(AUTHORIZATION, sign(SECRET, body))
            .body(body.to_vec());
        let request = match coding {
            Some(coding) => request.header("content-encoding", coding),
            None => request,
        };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{words}");
        let problem: Value = answer.json().await.expect("a problem");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(
            detail.contains(words) && !detail.contains("dana"),
            "{detail}"
        );
    }
    let request = Client::new().post(format!("{}{ROUTE}", app.server.url));
    let request = request
        .header(AUTHORIZATION, sign(SECRET, whole.as_bytes()))
        .header("content-encoding", "gzip");
    let answer = request.body(whole).send().await.expect("an answer");
    assert_eq!(
        answer.status(),
        StatusCode::OK,
        "what can be read is decided"
    );
    app.check().await;
}

/// What `docs/problems.md` says of the layer below: it is the framework's, and could change with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_refused_without_a_body() {
    let app = TestApp::start().await;
    let address = app.server.url.trim_start_matches("http://").to_owned();
    let answer = |request: &[u8]| {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.write_all(request).expect("sent");
        stream.set_read_timeout(Some(HANGS)).expect("a timeout");
        let mut answer = String::new();
        let _closed = stream.read_to_string(&mut answer);
        answer
    };
    let head = format!("POST {ROUTE} HTTP/1.1\r\n");
    let with = |headers: &str| format!("{head}host: x\r\n{headers}\r\n").into_bytes();
    let many = (0..100).map(|n| format!("x{n}: 1\r\n")).collect::<String>();
    let requests: [(&str, Vec<u8>, &str); 10] = [
        (
            "TLS",
            [b"\x16\x03\x01\0\xc8\x01\0\0\xc4\x03\x03", &[b'a'; 192][..]].concat(),
            "400",
        ),
        ("request line", b"POST\r\n\r\n".to_vec(), "400"),
        ("version", head.replace("1.1", "3.0").into_bytes(), "400"),
        ("no host", format!("{head}\r\n").into_bytes(), "400"),
        (
            "twice",
            with("content-length: 2\r\ncontent-length: 2\r\n"),
            "400",
        ),
        ("negative", with("content-length: -2\r\n"), "400"),
        (
            "both",
            with("content-length: 2\r\ntransfer-encoding: chunked\r\n"),
            "400",
        ),
        ("encoding", with("transfer-encoding: gzip\r\n"), "400"),
        ("header", with("no header\r\n"), "400"),
        ("many", with(&many), "431"),
    ];
    tokio::task::block_in_place(|| {
        for (what, request, status) in requests {
            let answer = answer(&request);
            let start = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&start), "{what}: {answer}");
            assert!(answer.ends_with("\r\n\r\n"), "{what}: {answer}");
        }
        let mut broken = with("transfer-encoding: chunked\r\n");
        broken.extend(b"zz\r\n{}\r\n0\r\n\r\n");
        assert_eq!(answer(&broken), "");
    });
    app.check().await;
}
