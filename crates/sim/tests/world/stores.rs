//! A store behind HTTP, as a client meets it that signs its requests (SigV4) and sends them path style.

use ramen_sim::front::s3::{Credentials, S3Endpoint};
use ramen_sim::s3::{Bucket, Fault, SharedBucket};
use rstest::rstest;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Path and query of a request, the query with its keys in order and escaped.
struct Target<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
}

struct Answer {
    status: u16,
    headers: String,
    body: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// Signs and sends one request; `None` when the connection breaks.
async fn ask(
    store: &S3Endpoint,
    secret: &str,
    target: Target<'_>,
    extra: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let host = store.url().trim_start_matches("http://").to_owned();
    let moment = ramen_sim::time::Time::wall().rfc3339().replace(['-', ':'], "");
    let (day, digest) = (&moment[..8], hex(&Sha256::digest(body)));
    let signed = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "{}\n{}\n{}\nhost:{host}\nx-amz-content-sha256:{digest}\nx-amz-date:{moment}\n\n{signed}\n{digest}",
        target.method, target.path, target.query
    );
    let scope = format!("{day}/us-east-1/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key = ["us-east-1", "s3", "aws4_request"]
        .iter()
        .fold(hmac(format!("AWS4{secret}").as_bytes(), day), |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &text));
    let extra: String = extra.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let question = if target.query.is_empty() { "" } else { "?" };
    let request = format!(
        "{} {}{question}{} HTTP/1.1\r\nhost: {host}\r\nx-amz-date: {moment}\r\nx-amz-content-sha256: {digest}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=AKLAB/{scope}, SignedHeaders={signed}, Signature={signature}\r\n\
         content-length: {}\r\nconnection: close\r\n{extra}\r\n{body}",
        target.method,
        target.path,
        target.query,
        body.len()
    );
    let mut stream = TcpStream::connect(&host).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (headers, body) = answer.split_once("\r\n\r\n")?;
    let status = headers.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, headers: headers.to_lowercase(), body: body.to_owned() })
}

async fn store() -> (S3Endpoint, SharedBucket) {
    let bucket = Bucket::shared("lab");
    let credentials = Credentials { access_key: "AKLAB".into(), secret_key: "secret".into() };
    (S3Endpoint::start(bucket.clone(), &credentials).await.unwrap(), bucket)
}

async fn call(store: &S3Endpoint, method: &str, path: &str, query: &str, body: &str) -> Answer {
    ask(store, "secret", Target { method, path, query }, &[], body).await.expect("an answer")
}

#[tokio::test]
async fn objects_come_back_as_they_were_put() {
    let (store, bucket) = store().await;
    assert_eq!(call(&store, "HEAD", "/lab", "", "").await.status, 200);
    assert_eq!(call(&store, "PUT", "/lab/ns/vrg/v1.PersistentVolume/pv-1", "", "content").await.status, 200);
    assert_eq!(&*bucket.lock().unwrap().get("ns/vrg/v1.PersistentVolume/pv-1").unwrap().bytes, b"content");
    let got = call(&store, "GET", "/lab/ns/vrg/v1.PersistentVolume/pv-1", "", "").await;
    assert_eq!((got.status, got.body.as_str()), (200, "content"));
    let target = Target { method: "GET", path: "/lab/ns/vrg/v1.PersistentVolume/pv-1", query: "" };
    let part = ask(&store, "secret", target, &[("range", "bytes=2-4")], "").await.unwrap();
    assert_eq!((part.status, part.body.as_str()), (206, "nte"));
    assert!(part.headers.contains("content-range: bytes 2-4/7"));
    assert_eq!(call(&store, "HEAD", "/lab/absent", "", "").await.status, 404);
    let absent = call(&store, "GET", "/lab/absent", "", "").await;
    assert!(absent.status == 404 && absent.body.contains("NoSuchKey"), "{}", absent.body);
    assert_eq!(call(&store, "DELETE", "/lab/ns/vrg/v1.PersistentVolume/pv-1", "", "").await.status, 204);
    assert_eq!(call(&store, "DELETE", "/lab/ns/vrg/v1.PersistentVolume/pv-1", "", "").await.status, 204);
    assert_eq!(bucket.lock().unwrap().objects().count(), 0);
}

#[tokio::test]
async fn listings_go_page_by_page_and_many_objects_go_at_once() {
    let (store, bucket) = store().await;
    for key in ["a/1", "a/2", "a/3", "b/1"] {
        call(&store, "PUT", &format!("/lab/{key}"), "", "x").await;
    }
    let first = call(&store, "GET", "/lab", "list-type=2&max-keys=2&prefix=a%2F", "").await.body;
    assert!(first.contains("<Key>a/1</Key>") && first.contains("<Key>a/2</Key>") && !first.contains("a/3"), "{first}");
    assert!(first.contains("<IsTruncated>true</IsTruncated>"));
    let token = first.split("<NextContinuationToken>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    let query = format!("continuation-token={}&list-type=2&prefix=a%2F", token.replace('/', "%2F"));
    let rest = call(&store, "GET", "/lab", &query, "").await.body;
    assert!(rest.contains("<Key>a/3</Key>") && !rest.contains("a/2</Key>") && !rest.contains("b/1"), "{rest}");
    assert!(rest.contains("<IsTruncated>false</IsTruncated>"), "{rest}");
    let folded = call(&store, "GET", "/lab", "delimiter=%2F&list-type=2", "").await.body;
    assert!(folded.contains("<Prefix>a/</Prefix>") && folded.contains("<Prefix>b/</Prefix>"), "{folded}");
    let wanted = "<Delete><Object><Key>a/1</Key></Object><Object><Key>absent</Key></Object></Delete>";
    assert_eq!(call(&store, "POST", "/lab", "delete=", wanted).await.status, 200);
    assert_eq!(bucket.lock().unwrap().objects().count(), 3);
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let (store, bucket) = store().await;
    let target = Target { method: "PUT", path: "/lab/k", query: "" };
    let refused = ask(&store, "guess", target, &[], "x").await.unwrap();
    assert!(refused.status == 403 && refused.body.contains("SignatureDoesNotMatch"), "{}", refused.body);
    let mut unsigned = TcpStream::connect(store.url().trim_start_matches("http://")).await.unwrap();
    let request = b"PUT /lab/k HTTP/1.1\r\nhost: s3\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx";
    unsigned.write_all(request).await.unwrap();
    let mut answer = String::new();
    unsigned.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(bucket.lock().unwrap().objects().count(), 0);
}

#[tokio::test]
async fn a_missing_bucket_has_its_own_name() {
    let (store, _) = store().await;
    let answer = call(&store, "GET", "/other", "list-type=2", "").await;
    assert!(answer.status == 404 && answer.body.contains("NoSuchBucket"), "{}", answer.body);
}

#[rstest]
#[case::erroring(Fault::Erroring, 500, 500)]
#[case::read_only(Fault::ReadOnly, 200, 403)]
#[tokio::test]
async fn a_sick_store_says_so(#[case] fault: Fault, #[case] reads: u16, #[case] writes: u16) {
    let (store, bucket) = store().await;
    call(&store, "PUT", "/lab/k", "", "x").await;
    bucket.lock().unwrap().set_fault(fault);
    assert_eq!(call(&store, "GET", "/lab/k", "", "").await.status, reads);
    assert_eq!(call(&store, "PUT", "/lab/k", "", "y").await.status, writes);
}

#[tokio::test]
async fn a_dead_store_answers_nobody_and_keeps_its_objects() {
    let (store, bucket) = store().await;
    call(&store, "PUT", "/lab/k", "", "x").await;
    bucket.lock().unwrap().set_fault(Fault::Down);
    let target = || Target { method: "GET", path: "/lab/k", query: "" };
    assert!(ask(&store, "secret", target(), &[], "").await.is_none());
    bucket.lock().unwrap().set_fault(Fault::None);
    assert_eq!(ask(&store, "secret", target(), &[], "").await.unwrap().body, "x");
}
