//! Stores against a simulated one.

use std::{sync::Arc, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ramen_events::Outcome;
use ramen_ports::{StoreAnswer, StoreOperation, StoreProfile};
use ramen_sim::{
    front::s3::{Credentials, S3Endpoint},
    s3::{Bucket, Condition, Fault, SharedBucket},
    time::Time,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::Stores;
use crate::{Limits, metrics::Metrics, vault::Vault};

const SECRET: &str = "a-secret-that-nobody-may-see";

struct Lab {
    bucket: SharedBucket,
    _endpoint: S3Endpoint,
    stores: Stores,
    profile: StoreProfile,
    vault: Arc<Vault>,
}

impl Lab {
    async fn new() -> Self {
        let bucket = Bucket::shared("bucket");
        let credentials = Credentials { access_key: "access".to_owned(), secret_key: SECRET.to_owned() };
        let endpoint = S3Endpoint::start(bucket.clone(), &credentials).await.unwrap();
        let profile = StoreProfile {
            name: "s3-c1".to_owned(),
            endpoint: endpoint.url(),
            bucket: "bucket".to_owned(),
            region: "east".to_owned(),
            secret_namespace: "ramen-system".to_owned(),
            secret_name: "s3".to_owned(),
            ca_certificates: Vec::new(),
        };
        let vault = Arc::new(Vault::default());
        vault.learn(&secret(SECRET));
        let limits =
            Limits { store_call: Duration::from_secs(4), store_rest: Duration::from_secs(3600), ..Limits::default() };
        let stores = Stores::new(Arc::clone(&vault), &limits, Metrics::new());
        Self { bucket, _endpoint: endpoint, stores, profile, vault }
    }

    async fn call(&self, operation: StoreOperation) -> Result<StoreAnswer, Outcome> {
        self.stores.call(&self.profile, &operation).await
    }

    fn break_it(&self, fault: Fault) {
        self.bucket.lock().unwrap().set_fault(fault);
    }

    fn put_raw(&self, key: &str, bytes: &[u8]) {
        self.bucket.lock().unwrap().put(key, bytes, &Condition::None, Time::wall()).unwrap();
    }
}

fn secret(key: &str) -> Value {
    let encode = |text: &str| BASE64_STANDARD.encode(text);
    json!({
        "metadata": { "namespace": "ramen-system", "name": "s3" },
        "data": { "AWS_ACCESS_KEY_ID": encode("access"), "AWS_SECRET_ACCESS_KEY": encode(key) },
    })
}

fn object(n: usize) -> (String, Value) {
    (format!("ns/vrg/v1.PersistentVolume/pv-{n}"), json!({ "metadata": { "name": format!("pv-{n}") } }))
}

#[tokio::test]
async fn what_is_put_is_listed_read_and_deleted() {
    let lab = Lab::new().await;
    let objects: Vec<_> = (0..20).map(object).collect();
    assert_eq!(lab.call(StoreOperation::Put(objects.clone())).await, Ok(StoreAnswer::Done));
    lab.put_raw("ns/vrg2/foreign", b"not ours");
    let mut keys: Vec<_> = objects.iter().map(|(key, _)| key.clone()).collect();
    keys.sort();
    assert_eq!(lab.call(StoreOperation::List("ns/vrg/".into())).await, Ok(StoreAnswer::Keys(keys.clone())));
    let got = lab.call(StoreOperation::Get(keys[0].clone())).await;
    assert_eq!(got, Ok(StoreAnswer::Object(json!({ "metadata": { "name": "pv-0" } }))));
    assert_eq!(
        lab.call(StoreOperation::Delete(vec![keys[0].clone(), "ns/vrg/none".into()])).await,
        Ok(StoreAnswer::Done)
    );
    assert_eq!(lab.call(StoreOperation::Get(keys[0].clone())).await, Ok(StoreAnswer::Absent));
    assert_eq!(lab.call(StoreOperation::DeleteAll("ns/vrg/".into())).await, Ok(StoreAnswer::Done));
    assert_eq!(
        lab.call(StoreOperation::List(String::new())).await,
        Ok(StoreAnswer::Keys(vec!["ns/vrg2/foreign".into()]))
    );
    assert_eq!(lab.call(StoreOperation::Probe { prefix: "x/".into() }).await, Ok(StoreAnswer::Done));
}

#[tokio::test]
async fn one_foreign_object_does_not_hide_the_others() {
    let lab = Lab::new().await;
    lab.call(StoreOperation::Put(vec![object(1)])).await.unwrap();
    lab.put_raw("ns/vrg/v1.PersistentVolume/broken", b"hello");
    let StoreAnswer::Objects(objects) = lab.call(StoreOperation::GetAll("ns/vrg/".into())).await.unwrap() else {
        panic!("objects were asked for");
    };
    assert_eq!(objects.iter().map(|(_, object)| object.is_ok()).collect::<Vec<_>>(), [false, true]);
    let refused = lab.call(StoreOperation::Get("ns/vrg/v1.PersistentVolume/broken".into())).await;
    assert!(matches!(refused, Err(Outcome::Refused { ref reason, .. }) if reason == "BadObject"), "{refused:?}");
}

#[rstest]
#[case::no_bucket(|lab: &mut Lab| lab.profile.bucket = "other".into(), "NoSuchBucket")]
#[case::wrong_key(|lab: &mut Lab| lab.vault.learn(&secret("a-wrong-secret")), "SignatureDoesNotMatch")]
#[case::no_secret(|lab: &mut Lab| lab.profile.secret_name = "none".into(), "MissingSecret")]
#[case::internal_error(|lab: &mut Lab| lab.break_it(Fault::Erroring), "InternalError")]
#[case::down(|lab: &mut Lab| lab.break_it(Fault::Down), "ConnectionFailed")]
#[case::refused(|lab: &mut Lab| lab.profile.endpoint = "http://127.0.0.1:1".into(), "ConnectionFailed")]
#[tokio::test]
async fn a_failure_is_never_taken_for_absence(#[case] spoil: fn(&mut Lab), #[case] reason: &str) {
    let mut lab = Lab::new().await;
    spoil(&mut lab);
    let failed = lab.call(StoreOperation::Get("ns/vrg/none".into())).await.unwrap_err();
    let text = format!("{failed:?}");
    assert!(text.contains(reason), "{text}");
    assert!(!text.contains(SECRET) && !text.contains("a-wrong-secret"), "{text}");
}

#[tokio::test]
async fn an_unreachable_store_costs_many_commands_one_time_limit() {
    let lab = Lab::new().await;
    lab.break_it(Fault::Down);
    let first = lab.call(StoreOperation::List("a/".into())).await.unwrap_err();
    lab.break_it(Fault::None);
    let second = lab.call(StoreOperation::List("b/".into())).await.unwrap_err();
    assert_eq!(first, second, "it is left alone, and the words stay the same");
    lab.vault.learn(&secret("changed"));
    let third = lab.call(StoreOperation::List("b/".into())).await;
    assert!(matches!(third, Err(Outcome::Refused { .. })), "new credentials are tried at once: {third:?}");
}

#[tokio::test]
async fn a_read_only_store_still_answers_reads() {
    let lab = Lab::new().await;
    lab.call(StoreOperation::Put(vec![object(1)])).await.unwrap();
    lab.break_it(Fault::ReadOnly);
    let put = lab.call(StoreOperation::Put(vec![object(2)])).await;
    assert!(matches!(put, Err(Outcome::Refused { ref reason, .. }) if reason == "AccessDenied"), "{put:?}");
    assert!(matches!(lab.call(StoreOperation::Get(object(1).0)).await, Ok(StoreAnswer::Object(_))));
}
