//! Who somebody is, and what they may do: tokens of service accounts, and reviews of both questions.
//!
//! Requests to this server itself are not held to it: whoever reaches it may do anything. Others ask it, as they would
//! ask a real one, and are told what the tokens, ClusterRoles and ClusterRoleBindings say.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Answer, ApiServer, Refusal,
    kinds::TypeRef,
    object, patch,
    request::{Request, Target},
};
use crate::time::Time;

/// How long a token is good, in seconds: what kube-apiserver gives when nobody asks for something else.
const TOKEN_SECONDS: u64 = 3600;

/// A token that was given out.
#[derive(Debug, Clone)]
pub(super) struct Token {
    text: String,
    namespace: String,
    account: String,
    uid: String,
    until: Time,
}

impl ApiServer {
    /// Gives a token to a service account (`kubectl create token`).
    pub(super) fn give_token(&mut self, now: Time, request: &Request, target: &Target) -> Result<Answer, Refusal> {
        let (namespace, name) = (target.namespace.clone().unwrap_or_default(), target.name.clone().unwrap_or_default());
        let account = self.get(&target.kind, Some(&namespace), &name)?;
        let mut value = patch::read_object(&request.body, &request.content_type)?;
        let seconds = value.pointer("/spec/expirationSeconds").and_then(Value::as_u64).unwrap_or(TOKEN_SECONDS);
        let until = now + Duration::from_secs(seconds);
        let uid = object::uid(account.value()).to_owned();
        let text = format!("simulated.{:016x}.{:016x}", self.next_random(), self.next_random());
        self.tokens.push(Token { text: text.clone(), namespace, account: name, uid, until });
        value["apiVersion"] = Value::from("authentication.k8s.io/v1");
        value["kind"] = Value::from("TokenRequest");
        value["status"] = json!({ "token": text, "expirationTimestamp": until.rfc3339() });
        Ok(Answer::document(201, value))
    }

    /// Answers a review; it is kept nowhere.
    pub(super) fn review(&self, now: Time, kind: &TypeRef, request: &Request) -> Result<Answer, Refusal> {
        let mut value = patch::read_object(&request.body, &request.content_type)?;
        value["status"] = match kind.kind.kind.as_str() {
            "TokenReview" => self.who(now, value.pointer("/spec/token").and_then(Value::as_str).unwrap_or_default()),
            "SubjectAccessReview" => self.may(&value["spec"]),
            "SelfSubjectRulesReview" => json!({
                "incomplete": false, "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
                "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
            }),
            _ => json!({ "allowed": true, "reason": "whoever reaches the simulated server may do anything" }),
        };
        value["kind"] = Value::from(kind.kind.kind.as_str());
        value["apiVersion"] = Value::from(kind.api_version());
        Ok(Answer::document(201, value))
    }

    fn who(&self, now: Time, text: &str) -> Value {
        match self.tokens.iter().find(|token| token.text == text && now < token.until) {
            Some(token) => json!({ "authenticated": true, "user": {
                "username": format!("system:serviceaccount:{}:{}", token.namespace, token.account),
                "uid": token.uid,
                "groups": [
                    "system:serviceaccounts", format!("system:serviceaccounts:{}", token.namespace),
                    "system:authenticated",
                ],
            } }),
            None => json!({ "user": {}, "error": "[invalid bearer token, token lookup failed]" }),
        }
    }

    fn may(&self, spec: &Value) -> Value {
        let granted = self.objects("clusterrolebindings").find(|binding| {
            items(&binding["subjects"]).any(|subject| is_meant(subject, spec))
                && self.objects("clusterroles").any(|role| {
                    object::name(role) == binding["roleRef"]["name"]
                        && items(&role["rules"]).any(|rule| grants(rule, spec))
                })
        });
        match granted {
            Some(binding) => json!({
                "allowed": true, "reason": format!("RBAC: allowed by ClusterRoleBinding {:?}", object::name(binding)),
            }),
            None => json!({ "allowed": false }),
        }
    }

    fn objects(&self, plural: &str) -> impl Iterator<Item = &Value> {
        let kind = self.registry.find("rbac.authorization.k8s.io", "v1", plural);
        kind.into_iter().flat_map(|kind| {
            self.store.list(&kind.stored().clone(), None).map(|object| object.value()).collect::<Vec<_>>()
        })
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn is_meant(subject: &Value, spec: &Value) -> bool {
    let name = subject["name"].as_str().unwrap_or_default();
    match subject["kind"].as_str() {
        Some("ServiceAccount") => {
            let namespace = subject["namespace"].as_str().unwrap_or_default();
            spec["user"] == format!("system:serviceaccount:{namespace}:{name}")
        }
        Some("Group") => items(&spec["groups"]).any(|group| group == name),
        _ => spec["user"] == name,
    }
}

fn grants(rule: &Value, spec: &Value) -> bool {
    let names = |field: &str, wanted: &Value| items(&rule[field]).any(|item| item == "*" || item == wanted);
    if let Some(wanted) = spec.get("nonResourceAttributes") {
        let path = wanted["path"].as_str().unwrap_or_default();
        let paths = |item: &Value| {
            let pattern = item.as_str().unwrap_or_default();
            pattern == path || pattern.strip_suffix('*').is_some_and(|start| path.starts_with(start))
        };
        return names("verbs", &wanted["verb"]) && items(&rule["nonResourceURLs"]).any(paths);
    }
    let wanted = &spec["resourceAttributes"];
    let group = wanted.get("group").cloned().unwrap_or_else(|| json!(""));
    names("verbs", &wanted["verb"]) && names("apiGroups", &group) && names("resources", &wanted["resource"])
}
