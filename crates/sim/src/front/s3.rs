//! A bucket behind HTTP, for clients that speak S3: path style, signed with the one key that the store knows.

use std::io;
use std::net::SocketAddr;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    CommonPrefix, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag,
    ETagCondition, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput, StreamingBlob,
    Timestamp, TimestampFormat,
};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::s3::{Bucket, Condition, Fault, Listing, Object, Retention, SharedBucket};
use crate::time::Time;

/// The access key that a store knows.
#[derive(Clone)]
pub struct Credentials {
    /// Its public part.
    pub access_key: String,
    /// Its secret part.
    pub secret_key: String,
}

/// A store that listens; it stops when dropped.
pub struct S3Endpoint {
    address: SocketAddr,
    _stop: DropGuard,
}

impl S3Endpoint {
    /// Serves a bucket on a free port of the loopback interface.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(bucket: SharedBucket, credentials: &Credentials) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut builder = S3ServiceBuilder::new(Store { bucket: bucket.clone() });
        builder.set_auth(SimpleAuth::from_single(
            credentials.access_key.clone(),
            s3s::auth::SecretKey::from(credentials.secret_key.clone()),
        ));
        let stop = CancellationToken::new();
        let service = builder.build();
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(accept(listener, service, bucket)).await });
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: TcpListener, service: S3Service, bucket: SharedBucket) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) if fault(&bucket) != Fault::Down => {
                connections.spawn(serve(stream, service.clone(), bucket.clone()));
            }
            Ok((stream, _)) => drop(stream),
            // Out of descriptors, most likely: wait until some are free.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, service: S3Service, bucket: SharedBucket) {
    let handler = hyper::service::service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let (service, bucket) = (service.clone(), bucket.clone());
        async move {
            match fault(&bucket) {
                Fault::Down => return Err(io::Error::other("the store is down")),
                Fault::Slow(pause) => tokio::time::sleep(pause).await,
                Fault::None | Fault::Erroring | Fault::ReadOnly => {}
            }
            service.call(request.map(Body::from)).await.map_err(io::Error::other)
        }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    // A connection that breaks is the client's to notice.
    let _broken = builder.serve_connection(TokioIo::new(stream), handler).await;
}

fn fault(bucket: &SharedBucket) -> Fault {
    bucket.lock().unwrap_or_else(PoisonError::into_inner).fault()
}

struct Store {
    bucket: SharedBucket,
}

impl Store {
    fn bucket(&self, name: &str, writes: bool) -> S3Result<MutexGuard<'_, Bucket>> {
        let bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        match bucket.fault() {
            Fault::Erroring => return Err(s3_error!(InternalError, "the store has an internal error")),
            Fault::ReadOnly if writes => return Err(s3_error!(AccessDenied, "the store is read-only")),
            _ => {}
        }
        if bucket.name() == name { Ok(bucket) } else { Err(s3_error!(NoSuchBucket, "no such bucket")) }
    }

    fn object(&self, bucket: &str, key: &str) -> S3Result<Object> {
        self.bucket(bucket, false)?.get(key).cloned().ok_or_else(|| s3_error!(NoSuchKey, "no such key"))
    }
}

fn moment(time: Time) -> Timestamp {
    Timestamp::from(std::time::UNIX_EPOCH + Duration::from_millis(time.millis()))
}

fn milliseconds(moment: &Timestamp) -> Option<Time> {
    let mut text = Vec::new();
    moment.format(TimestampFormat::EpochSeconds, &mut text).ok()?;
    let seconds: f64 = String::from_utf8(text).ok()?.parse().ok()?;
    Some(Time(Duration::try_from_secs_f64(seconds).ok()?.as_millis().try_into().ok()?))
}

fn length(bytes: usize) -> Option<i64> {
    i64::try_from(bytes).ok()
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        drop(self.bucket(&req.input.bucket, false)?);
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = req.input;
        let body = match input.body {
            None => Bytes::new(),
            Some(body) => Body::from(body)
                .collect()
                .await
                .map_err(|_| s3_error!(IncompleteBody, "the body broke off"))?
                .to_bytes(),
        };
        let condition = match (input.if_none_match, input.if_match) {
            (Some(_), _) => Condition::Absent,
            (None, Some(ETagCondition::ETag(tag))) => Condition::Tag(tag.value().to_owned()),
            (None, _) => Condition::None,
        };
        // As S3 has it, a lock takes a bucket made for it, and a checksum that came with the bytes.
        let summed = input.checksum_crc32.is_some() || input.content_md5.is_some();
        let retention = match (input.object_lock_mode, input.object_lock_retain_until_date) {
            (None, None) => None,
            (Some(mode), Some(until)) if summed => {
                let until = milliseconds(&until).ok_or_else(|| s3_error!(InvalidArgument, "a lock ends at a date"))?;
                Some(Retention { mode: mode.as_str().to_owned(), until })
            }
            (Some(_), Some(_)) => return Err(s3_error!(InvalidRequest, "a locked object needs a checksum")),
            _ => return Err(s3_error!(InvalidArgument, "a lock has a mode and an end")),
        };
        let mut bucket = self.bucket(&input.bucket, true)?;
        if retention.is_some() && !bucket.allows_locks() {
            return Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"));
        }
        let etag = bucket
            .put(&input.key, &body, &condition, Time::wall())
            .map_err(|_| s3_error!(PreconditionFailed, "the object is not as the condition says"))?;
        if let Some(retention) = retention {
            bucket.retain(&input.key, retention);
        }
        drop(bucket);
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() }))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let object = self.object(&req.input.bucket, &req.input.key)?;
        let total = object.bytes.len();
        let (bytes, content_range) = match req.input.range {
            None => (Bytes::copy_from_slice(&object.bytes), None),
            Some(range) => {
                let invalid = || s3_error!(InvalidRange, "the range lies outside of the object");
                let asked = range.check(u64::try_from(total).unwrap_or(u64::MAX))?;
                let start = usize::try_from(asked.start).map_err(|_| invalid())?;
                let end = usize::try_from(asked.end).map_err(|_| invalid())?;
                let part = object.bytes.get(start..end).ok_or_else(invalid)?;
                let header = format!("bytes {start}-{}/{total}", end.saturating_sub(1));
                (Bytes::copy_from_slice(part), Some(header))
            }
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: length(bytes.len()),
            content_range,
            accept_ranges: Some("bytes".into()),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(moment(object.put)),
            ..Default::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let object = self.object(&req.input.bucket, &req.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: length(object.bytes.len()),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(moment(object.put)),
            ..Default::default()
        }))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.bucket(&req.input.bucket, true)?.delete(&req.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let mut bucket = self.bucket(&req.input.bucket, true)?;
        let mut deleted = Vec::new();
        for object in req.input.delete.objects {
            bucket.delete(&object.key);
            deleted.push(DeletedObject { key: Some(object.key), ..Default::default() });
        }
        Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), ..Default::default() }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        let after = input.continuation_token.as_deref().or(input.start_after.as_deref()).unwrap_or_default();
        let limit = input.max_keys.and_then(|most| usize::try_from(most).ok()).unwrap_or(1000).min(1000);
        let page = self.bucket(&input.bucket, false)?.list(Listing {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after,
            limit,
        });
        let count = i32::try_from(page.objects.len() + page.prefixes.len()).ok();
        let contents = page.objects.into_iter().map(|(key, object)| s3s::dto::Object {
            key: Some(key),
            size: length(object.bytes.len()),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(moment(object.put)),
            ..Default::default()
        });
        let prefixes = page.prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) });
        Ok(S3Response::new(ListObjectsV2Output {
            contents: Some(contents.collect()),
            common_prefixes: Some(prefixes.collect()),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next,
            key_count: count,
            max_keys: i32::try_from(limit).ok(),
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            ..Default::default()
        }))
    }
}
