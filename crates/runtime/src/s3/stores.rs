//! Operations on stores.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_s3::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use futures::{StreamExt, TryStreamExt, stream};
use ramen_events::{BlobId, Outcome};
use ramen_ports::{
    StoreAnswer, StoreOperation, StoreProfile,
    requests::{Condition, Found, Next, Reply, Request, Requests},
};
use serde_json::Value;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    circuit::Circuit,
    client, encoding,
    failure::{Failure, place},
};
use crate::{Limits, metrics::Metrics, vault::Vault};

/// How many requests of one operation run at the same time.
const ABREAST: usize = 8;
/// How many keys a listing may have before it is refused: far more than all objects of any application.
const MAX_KEYS: usize = 100_000;

/// All stores, by profile.
pub(crate) struct Stores {
    vault: Arc<Vault>,
    metrics: Metrics,
    limit: Duration,
    calls: usize,
    circuit: Circuit,
    clients: Mutex<BTreeMap<String, Cached>>,
    permits: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

struct Cached {
    profile: StoreProfile,
    secret: Option<BlobId>,
    client: Client,
}

impl Stores {
    /// Stores with the credentials in `vault`.
    pub(crate) fn new(vault: Arc<Vault>, limits: &Limits, metrics: Metrics) -> Self {
        Self {
            vault,
            metrics,
            limit: limits.store_call,
            calls: limits.store_calls,
            circuit: Circuit::new(limits.store_rest),
            clients: Mutex::default(),
            permits: Mutex::default(),
        }
    }

    /// Carries out one operation.
    pub(crate) async fn call(
        &self,
        profile: &StoreProfile,
        operation: &StoreOperation,
    ) -> Result<StoreAnswer, Outcome> {
        let permits = self.permits_of(profile);
        // The semaphore is never closed.
        let _permit = permits.acquire().await;
        let client = self.client(profile).map_err(|failure| failure.outcome)?;
        self.circuit.pass(&profile.name)?;
        let call = Call { stores: self, client, profile, name: name_of(operation) };
        let ended = call.run(operation).await;
        let silent = ended.as_ref().err().filter(|failure| failure.silent).map(|failure| &failure.outcome);
        self.circuit.ended(&profile.name, silent);
        ended.map_err(|failure| failure.outcome)
    }

    fn permits_of(&self, profile: &StoreProfile) -> Arc<Semaphore> {
        let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(self.calls));
        Arc::clone(permits.entry(profile.name.clone()).or_insert_with(new))
    }

    /// The client of a profile, made anew when the profile or its credentials changed.
    fn client(&self, profile: &StoreProfile) -> Result<Client, Failure> {
        let secret = self.vault.digest(&profile.secret_namespace, &profile.secret_name);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = clients.get(&profile.name)
            && cached.profile == *profile
            && cached.secret == secret
        {
            return Ok(cached.client.clone());
        }
        let client = client::make(profile, &self.vault, self.limit)?;
        let cached = Cached { profile: profile.clone(), secret, client: client.clone() };
        clients.insert(profile.name.clone(), cached);
        // What was found out with other credentials or at another place counts no more.
        self.circuit.ended(&profile.name, None);
        Ok(client)
    }
}

/// One operation on one store.
struct Call<'a> {
    stores: &'a Stores,
    client: Client,
    profile: &'a StoreProfile,
    name: &'static str,
}

impl Call<'_> {
    async fn run(&self, operation: &StoreOperation) -> Result<StoreAnswer, Failure> {
        let begun = Instant::now();
        let mut requests = Requests::of(operation.clone()).map_err(refused)?;
        let mut replies = Vec::new();
        loop {
            match requests.next(replies, begun.elapsed()) {
                Next::Send(abreast) => {
                    let sent = stream::iter(abreast).map(|request| self.send(request));
                    replies = sent.buffered(ABREAST).try_collect().await?;
                }
                Next::Ended(ended) => return ended.map_err(refused),
            }
        }
    }

    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        match request {
            Request::Probe(prefix) => self.page(&prefix, None, 1).await.map(|_| Reply::Done),
            Request::List(prefix) => self.list(&prefix).await.map(Reply::Keys),
            Request::Get(key) => self.get(&key).await.map(Reply::Object),
            Request::Put { key, object, condition } => self.put(&key, &object, condition).await,
            Request::Delete(key) => self.delete(key).await,
        }
    }

    async fn put(&self, key: &str, object: &Value, condition: Condition) -> Result<Reply, Failure> {
        let body = encoding::encode(object).map_err(|err| Failure::unsent("BadObject", format!("{key}: {err}")))?;
        let request = self.client.put_object().bucket(&self.profile.bucket).key(key).body(ByteStream::from(body));
        let request = match condition {
            Condition::Any => return self.counted(request.send()).await.map(|_| Reply::Done),
            Condition::Absent => request.if_none_match("*"),
            Condition::Tag(tag) => request.if_match(tag),
        };
        match self.counted(request.send()).await {
            Err(failure) if is_changed(&failure) => Ok(Reply::Changed),
            Err(failure) if failure.reason == "NotImplemented" => Ok(Reply::KnowsNoConditions),
            put => put.map(|_| Reply::Done),
        }
    }

    /// The object under a key, with the tag that changes with it; `None` only when the store says that there is no such key.
    async fn get(&self, key: &str) -> Result<Option<Found>, Failure> {
        let request = self.client.get_object().bucket(&self.profile.bucket).key(key);
        let answer = match self.counted(request.send()).await {
            Ok(answer) => answer,
            Err(failure) if failure.reason == "NoSuchKey" => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let (mut body, tag) = (Vec::new(), answer.e_tag);
        let mut chunks = answer.body;
        let read = async {
            while let Some(chunk) = chunks.try_next().await? {
                body.extend_from_slice(&chunk);
                if body.len() > encoding::MAX_BODY {
                    break;
                }
            }
            Ok::<_, aws_sdk_s3::primitives::ByteStreamError>(())
        };
        match tokio::time::timeout(self.stores.limit, read).await {
            Ok(Ok(())) => Ok(Some(Found { object: decode(&body), tag })),
            Ok(Err(err)) => {
                let message = format!("ConnectionFailed: {} broke off: {err}", place(self.profile));
                let outcome = Outcome::Unknown { message };
                Err(Failure { outcome, reason: "ConnectionFailed".to_owned(), silent: true })
            }
            Err(_) => Err(Failure::timeout(self.profile, "the answer was cut off")),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        let mut next = None;
        loop {
            let (page, token) = self.page(prefix, next, 1000).await?;
            keys.extend(page);
            if keys.len() > MAX_KEYS {
                let message = format!("more than {MAX_KEYS} keys under {prefix:?} in {}", place(self.profile));
                return Err(Failure::unsent("TooManyKeys", message));
            }
            match token {
                Some(token) => next = Some(token),
                None => return Ok(keys),
            }
        }
    }

    async fn page(
        &self,
        prefix: &str,
        token: Option<String>,
        length: i32,
    ) -> Result<(Vec<String>, Option<String>), Failure> {
        let request = self.client.list_objects_v2().bucket(&self.profile.bucket).prefix(prefix).max_keys(length);
        let answer = self.counted(request.set_continuation_token(token).send()).await?;
        let keys = answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect();
        Ok((keys, answer.next_continuation_token.filter(|_| answer.is_truncated == Some(true))))
    }

    /// One by one: a batch needs checksums that not all stores agree about, and loses which key failed.
    async fn delete(&self, key: String) -> Result<Reply, Failure> {
        let request = self.client.delete_object().bucket(&self.profile.bucket).key(key);
        match self.counted(request.send()).await {
            Err(failure) if failure.reason != "NoSuchKey" => Err(failure),
            _ => Ok(Reply::Done),
        }
    }

    async fn counted<T, E>(
        &self,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let ended = request.await.map_err(|err| Failure::of(self.profile, &err));
        let result = ended.as_ref().map_or_else(|failure| failure.reason.as_str(), |_| "done");
        self.stores.metrics.store_request(&self.profile.name, self.name, result);
        ended
    }
}

fn name_of(operation: &StoreOperation) -> &'static str {
    match operation {
        StoreOperation::Probe { .. } => "probe",
        StoreOperation::Put(_) => "put",
        StoreOperation::Get(_) => "get",
        StoreOperation::GetAll(_) => "get_all",
        StoreOperation::List(_) => "list",
        StoreOperation::Delete(_) => "delete",
        StoreOperation::DeleteAll(_) => "delete_all",
        StoreOperation::Fenced { operation, .. } => name_of(operation),
    }
}

fn refused(outcome: Outcome) -> Failure {
    Failure { outcome, reason: "Refused".to_owned(), silent: false }
}

fn is_changed(failure: &Failure) -> bool {
    // The second is told when two conditional writes meet, the third when the object went meanwhile.
    ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"].contains(&failure.reason.as_str())
}

fn decode(body: &[u8]) -> Result<Value, String> {
    encoding::decode(body).map_err(|err| crate::kube_api::failure::chain(&err))
}
