//! Stores against a simulated one.

use std::{sync::Arc, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ramen_events::{
    Outcome,
    spoke::{Fence, fence::OVERTAKEN},
};
use ramen_ports::{StoreAnswer, StoreOperation, StoreProfile, fence};
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

const FENCE: &str = "ns/vrg/v1alpha1.StoreFence/a";

fn fenced(epoch: u64, cluster: &str, operation: StoreOperation) -> StoreOperation {
    let writer = Fence { epoch, cluster: cluster.to_owned(), drpc_uid: "uid".to_owned() };
    StoreOperation::Fenced { key: FENCE.to_owned(), writer, operation: Box::new(operation) }
}

fn put(epoch: u64, cluster: &str) -> StoreOperation {
    fenced(epoch, cluster, StoreOperation::Put(vec![object(1)]))
}

impl Lab {
    async fn holder(&self) -> Option<Fence> {
        match self.call(StoreOperation::Get(FENCE.to_owned())).await.unwrap() {
            StoreAnswer::Object(held) => fence::read(&held),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<String> {
        self.bucket.lock().unwrap().objects().map(|(key, _)| key.to_owned()).collect()
    }
}

fn is_overtaken(ended: &Result<StoreAnswer, Outcome>) -> bool {
    matches!(ended, Err(Outcome::Refused { reason, .. }) if reason == OVERTAKEN)
}

#[tokio::test]
async fn the_higher_epoch_takes_a_store_and_the_lower_one_writes_nothing_any_more() {
    let lab = Lab::new().await;
    assert_eq!(lab.call(put(0, "c1")).await, Ok(StoreAnswer::Done));
    assert_eq!(lab.keys(), [object(1).0], "without an epoch there is nothing to take it with");
    assert_eq!(lab.call(put(1, "c1")).await, Ok(StoreAnswer::Done));
    assert_eq!(lab.call(put(2, "c2")).await, Ok(StoreAnswer::Done));
    assert_eq!(lab.call(put(2, "c2")).await, Ok(StoreAnswer::Done));
    assert_eq!(lab.holder().await.map(|fence| (fence.epoch, fence.cluster)), Some((2, "c2".to_owned())));
    let before = lab.keys();
    for (epoch, cluster) in [(0, "c1"), (1, "c1"), (2, "c1")] {
        let other = StoreOperation::Put(vec![object(9)]);
        for operation in [other, StoreOperation::Delete(vec![object(1).0]), StoreOperation::DeleteAll("ns/vrg/".into())]
        {
            let ended = lab.call(fenced(epoch, cluster, operation)).await;
            assert!(is_overtaken(&ended), "{epoch} {cluster}: {ended:?}");
        }
    }
    assert_eq!(lab.keys(), before);
}

#[tokio::test]
async fn the_last_thing_that_is_deleted_is_the_fence() {
    let lab = Lab::new().await;
    let many = StoreOperation::Put((0..150).map(object).collect());
    assert_eq!(lab.call(fenced(1, "c1", many)).await, Ok(StoreAnswer::Done));
    assert_eq!(lab.call(fenced(1, "c1", StoreOperation::DeleteAll("ns/vrg/".into()))).await, Ok(StoreAnswer::Done));
    assert_eq!(lab.keys(), [] as [&str; 0]);
}

#[tokio::test]
async fn of_many_that_take_a_store_at_once_the_highest_has_it_in_the_end() {
    let lab = Lab::new().await;
    let calls = (1..=6_u64).map(|epoch| {
        let lab = &lab;
        async move { lab.call(put(epoch, &format!("c{epoch}"))).await }
    });
    let ended = futures::future::join_all(calls).await;
    assert_eq!(lab.holder().await.map(|fence| fence.epoch), Some(6));
    assert_eq!(ended.last(), Some(&Ok(StoreAnswer::Done)));
    for ended in &ended {
        let contested = matches!(ended, Err(Outcome::Refused { reason, .. }) if reason == "FenceContested");
        assert!(*ended == Ok(StoreAnswer::Done) || is_overtaken(ended) || contested, "{ended:?}");
    }
}

#[tokio::test]
async fn a_fence_that_can_not_be_read_is_not_an_absent_one() {
    let lab = Lab::new().await;
    lab.put_raw(FENCE, b"hello");
    let ended = lab.call(put(3, "c3")).await;
    assert!(matches!(ended, Err(Outcome::Refused { ref reason, .. }) if reason == "BadFence"), "{ended:?}");
    lab.break_it(Fault::Erroring);
    assert!(matches!(lab.call(put(3, "c3")).await, Err(Outcome::Unknown { .. })));
    lab.break_it(Fault::None);
    assert_eq!(lab.keys(), [FENCE]);
}
